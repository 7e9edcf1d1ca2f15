// The sessions of one Redis server that this worker has an eye on: each read once however many connections share it, and
// read again when Redis says that it has changed.
//
// Redis tells by server-assisted invalidation (CLIENT TRACKING): a key that was read is remembered there, and reported once
// when it is changed, expires or is deleted. So a session is tracked from the moment it is read, and each report is answered
// by one read. Where there is no tracking, sessions are read again at intervals. A session that is to expire is read when it has.
//
// An upgrade that begins after a session's end is refused: it is answered by a read that was sent after it came, which it
// shares with all others that wait for the same session then. Question::cache trades that for fewer reads: what is known will do,
// or what is being read already.
//
// Pure: time comes from a Clock, answers from a Store.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/clock.h"
#include "auth/expiries.h"
#include "auth/renewals.h"
#include "auth/session_watch.h"
#include "auth/shared_session.h"
#include "redis/invalidations.h"
#include "redis/store.h"

namespace ws::auth {

struct SessionsOptions {
    std::size_t window = 64;            // reads under way at a time
    std::size_t max_waiting = 10000;    // sessions that wait for their first read; more are refused
    Milliseconds patience{1000};        // how long they wait, until they are refused
    Milliseconds pace{250};             // at least so long between two reads of one session that nobody waits for
    std::size_t max_unwatched = 10000;  // sessions that are kept for Question::cache alone
    Renewals::OnRefused on_renewal_refused = [](std::string_view) {};
};

class Sessions final : public redis::Invalidations, private SharedSession::Owner {
public:
    // `store` and `clock` outlive the object, and it outlives its watches.
    Sessions(redis::Store& store, Clock& clock, SessionsOptions options);
    ~Sessions();
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;

    // A session that is known already, and young enough for Question::cache, is told before this returns.
    [[nodiscard]] std::unique_ptr<Watch> watch(const Question& question, Answer answer);

    void invalidated(std::string_view key) override;
    // Every session is read again, as the window allows.
    void missed() override;
    // Without reports, sessions are read again at the interval of their questions.
    void tracked(bool on) override;

    // Does what is due. From the event loop.
    void run();

    [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }  // sessions

    // So far.
    struct Tally {
        std::uint64_t lookups = 0;  // questions
        std::uint64_t cached = 0;   // of them: answered by what was known
        std::uint64_t reads = 0;    // commands sent
    };
    [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

private:
    // Where a session is.
    enum class Place {
        resting,
        first,      // somebody waits for a read
        again,      // to be read again
        scheduled,  // the same, later
        reading,
        unwatched,  // kept for who may come, until it is too old
    };
    struct Session;
    // A command, as sessions have it. It is looked for as a question has it.
    using Words = std::span<const std::string>;
    struct WordsHash {
        using is_transparent = void;
        // Not noexcept: for libstdc++ it is quick then, and no hash is kept.
        [[nodiscard]] std::size_t operator()(const auto& words) const {
            std::size_t all = words.size();
            for (const std::string_view word : words) { all = all * 31 + std::hash<std::string_view>{}(word); }
            return all;
        }
    };
    struct SameWords {
        using is_transparent = void;
        [[nodiscard]] bool operator()(const auto& one, const auto& other) const noexcept {
            return std::ranges::equal(one, other);
        }
    };
    using Queue = std::list<Session*>;
    using Schedule = std::multimap<Milliseconds, Session*>;

    void unused(SharedSession& session) noexcept override;
    void renewal_changed(SharedSession& session) override;

    [[nodiscard]] Session& find_or_add(const Question& question);
    void forget_keys(const Session& session) noexcept;
    void erase(Session& session) noexcept;
    void changed(Session& session);
    void enter(Session& session, Queue& queue, Place place);
    void schedule(Session& session, Milliseconds time, Place place);
    void rest(Session& session) noexcept;
    void refuse_late();
    void sweep();
    void run_expiries();
    void run_schedule();
    void start_reads();
    void read(Session& session);
    void on_reply(Session& session, const redis::Outcome& outcome);
    void take(Session& session, const redis::Outcome& outcome);
    void lost(Session& session) noexcept;
    void plan_next_read(Session& session, bool answered, bool stale);
    [[nodiscard]] bool is_known(const Session& session) const noexcept;
    [[nodiscard]] bool will_do(const Session& session, Milliseconds cache) const noexcept;
    void tell(Session& session, const Verdict& verdict);
    void after_telling(Session& session);

    redis::Store& store_;
    Clock& clock_;
    SessionsOptions options_;
    Renewals renewals_;
    Expiries expiries_;
    std::list<Session> sessions_;
    std::unordered_map<Words, std::list<Session>::iterator, WordsHash, SameWords> table_;  // by the command
    std::unordered_multimap<std::string_view, Session*> by_key_;                           // by what is reported
    std::list<Session>::iterator swept_;  // missed(): those before it have been seen to
    Queue first_;
    Queue again_;
    Schedule schedule_;                 // scheduled and unwatched
    std::unique_ptr<Session> refused_;  // its watches are: there were too many
    std::size_t unwatched_ = 0;
    std::size_t reading_ = 0;
    Tally tally_;
    std::uint64_t epoch_ = 0;  // goes up when reports may have been missed: what was read before may not be true
    bool tracking_ = false;    // the store was told to
    bool tracked_ = false;     // and does
};

}  // namespace ws::auth
