// The sessions of one Redis server that this worker has an eye on: each read once however many connections share it, and
// read again when Redis says that it has changed.
//
// What is known of a session that is tracked is true, so who asks for it meanwhile needs no read.
//
// Redis tells by server-assisted invalidation (CLIENT TRACKING): a key that was read is remembered there, and reported once
// when it is changed, expires or is deleted. So a session is tracked from the moment it is read, and each report is answered
// by one read. Where there is no tracking, sessions are read again at intervals.
//
// Pure: time comes from a Clock, answers from a Store.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/hook.h"
#include "redis/invalidations.h"
#include "redis/store.h"

namespace ws::auth {

class Clock {
public:
    [[nodiscard]] virtual Milliseconds now() const noexcept = 0;
    // Sessions::run() is to be called at this time, or earlier. A later time than one asked for before may be forgotten.
    virtual void wake_at(Milliseconds time) noexcept = 0;

protected:
    ~Clock() = default;
};

struct SessionsOptions {
    std::size_t window = 64;          // reads under way at a time
    std::size_t max_waiting = 10000;  // sessions that wait for their first read; more are refused
    Milliseconds pace{250};           // at least so long between two reads of one session
};

class Sessions final : public Hook, public redis::Invalidations {
public:
    // `store` and `clock` outlive the object, and it outlives its watches.
    Sessions(redis::Store& store, Clock& clock, SessionsOptions options) noexcept;
    ~Sessions() override;
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;

    [[nodiscard]] std::unique_ptr<Watch> watch(const Question& question, Answer answer) override;

    void invalidated(std::string_view key) override;
    // Every session is read again, as the window allows.
    void missed() override;
    // Without reports, sessions are read again at the interval of their questions.
    void tracked(bool on) override;

    // Does what is due. From the event loop.
    void run();

    [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }  // sessions
    [[nodiscard]] std::uint64_t reads() const noexcept { return reads_; }      // sent so far

private:
    enum class Place { resting, first, known, again, scheduled, reading };  // where a session is
    struct Session;
    class SessionWatch;
    using Queue = std::list<Session*>;
    using Schedule = std::multimap<Milliseconds, Session*>;
    using Table = std::map<std::string, std::unique_ptr<Session>, std::less<>>;

    Session& find_or_add(const Question& question);
    void remove(Session& session, std::list<SessionWatch*>::iterator place) noexcept;
    void erase_if_unused(Session& session) noexcept;
    void touch(Session& session);
    void enter(Session& session, Queue& queue, Place place);
    void schedule(Session& session, Milliseconds time);
    void rest(Session& session) noexcept;
    void sweep();
    void start_reads();
    void read(Session& session);
    void on_reply(Session& session, const redis::Outcome& outcome);
    void plan_next_read(Session& session, bool answered, bool stale);
    [[nodiscard]] bool is_known(const Session& session) const noexcept;
    void answer_known();
    void tell(Session& session, const Verdict& verdict, bool newcomers_only);
    void tell_refused();

    redis::Store& store_;
    Clock& clock_;
    SessionsOptions options_;
    Table table_;
    Queue first_;        // somebody waits for their first read
    Queue known_;        // somebody waits for what is known
    Queue again_;        // have been read before, and are to be read again
    Schedule schedule_;  // to be read again later
    std::list<SessionWatch*> refused_;
    std::optional<std::string> swept_;  // missed(): the sessions up to this name have been seen to
    std::size_t reading_ = 0;
    std::uint64_t reads_ = 0;
    std::uint64_t epoch_ = 0;  // goes up when reports may have been missed: what was read before may not be true
    bool tracking_ = false;    // the store was told to
    bool tracked_ = false;     // and does
};

}  // namespace ws::auth
