// Keeps sessions from expiring while somebody wants that (ws_auth_touch): each at most once an interval.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/clock.h"
#include "auth/session_watch.h"
#include "redis/store.h"

namespace ws::auth {

class Renewals final {
public:
    // The store won't do it; `code` is that of its error. Told once.
    using OnRefused = std::function<void(std::string_view code)>;

    // `store` and `clock` outlive the object. At most `window` commands are under way at a time.
    Renewals(redis::Store& store, Clock& clock, std::size_t window, OnRefused on_refused);
    Renewals(const Renewals&) = delete;
    Renewals& operator=(const Renewals&) = delete;

    // Begins at once, or goes on otherwise than before. Keys are told apart by `owner`.
    void keep(const void* owner, std::string_view key, const Renewal& renewal);
    void drop(const void* owner) noexcept;

    // Does what is due. From the event loop.
    void run();

    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

private:
    struct Entry;
    using Schedule = std::multimap<Milliseconds, Entry*>;
    struct Entry {
        std::string key;
        Renewal renewal;
        Schedule::iterator due;
        Schedule::node_type place;                // in the schedule, while it is not there
        std::unique_ptr<redis::Pending> command;  // under way: it is in no schedule
    };

    void send(Entry& entry);
    void on_reply(Entry& entry, const redis::Outcome& outcome);

    redis::Store& store_;
    Clock& clock_;
    std::size_t window_;
    OnRefused on_refused_;
    std::unordered_map<const void*, Entry> entries_;
    Schedule schedule_;
    std::size_t under_way_ = 0;
    std::uint64_t sent_ = 0;
};

}  // namespace ws::auth
