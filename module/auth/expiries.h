// When sessions expire. Redis removes an expired key, and reports it, when it comes across it, which in a large database may
// take hours; so their time to live is read after them (a change in between is reported), and who has them is told in time to read them again.
#pragma once

#include <map>
#include <memory>
#include <string_view>

#include "auth/clock.h"
#include "redis/store.h"

namespace ws::auth {

class Expiries final {
public:
    class Entry;
    using Schedule = std::multimap<Milliseconds, Entry*>;

    // One session's. Ends with the session.
    class Entry {
    public:
        Entry() = default;
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

    protected:
        ~Entry() = default;

    private:
        friend class Expiries;
        std::unique_ptr<redis::Pending> question;
        Schedule::iterator place;
        bool scheduled = false;
    };

    // `store` and `clock` outlive the object.
    Expiries(redis::Store& store, Clock& clock) : store_(store), clock_(clock) {}
    Expiries(const Expiries&) = delete;
    Expiries& operator=(const Expiries&) = delete;

    // Asks Redis; until it has answered, what was known stands.
    void ask(Entry& entry, std::string_view key);
    void forget(Entry& entry) noexcept;

    // One that is due by now, which is forgotten, or null.
    [[nodiscard]] Entry* next();
    // Nothing else is due until then. Only when there is one.
    [[nodiscard]] bool empty() const noexcept { return schedule_.empty(); }
    [[nodiscard]] Milliseconds due() const noexcept { return schedule_.begin()->first; }
    // Its time is over, though next() has not given it yet.
    [[nodiscard]] bool is_over(const Entry& entry) const noexcept {
        return entry.scheduled && entry.place->first <= clock_.now();
    }

private:
    void on_reply(Entry& entry, const redis::Outcome& outcome);

    redis::Store& store_;
    Clock& clock_;
    Schedule schedule_;
};

}  // namespace ws::auth
