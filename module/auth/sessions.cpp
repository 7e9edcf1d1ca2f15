#include "auth/sessions.h"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "auth/session_reply.h"
#include "redis/command_keys.h"

namespace ws::auth {

namespace {

// What one run() may do of the same kind, so that no crowd holds up the event loop.
constexpr int batch = 256;

// Where Redis can't be asked, sessions stay as they are known; this is how long until somebody asks again, if nobody says
// earlier that Redis is back.
constexpr Milliseconds retry{30000};

}  // namespace

struct Sessions::Session final : SharedSession, Expiries::Entry {
    Session(Owner& owner, std::span<const std::string_view> words) : SharedSession(owner, words) {
        const std::vector<std::string_view> own(command().begin(), command().end());
        const auto found = redis::command_keys(own);
        keys.assign(found.begin(), found.end());
        reported = redis::reads_its_keys_only(own);
    }

    std::vector<std::string_view> keys;  // of the command
    bool reported = false;               // what Redis reports of them tells each change
    std::list<Session>::iterator itself;
    Place place = Place::resting;
    Queue::iterator queued;        // Place::first or again
    Schedule::iterator scheduled;  // Place::scheduled or unwatched
    Milliseconds entered{};        // its queue
    std::unique_ptr<redis::Pending> reply;
    bool stale = false;       // it has changed while it was being read
    bool read_twice = false;  // and is being read again for that
    bool known = false;       // what was told last is what it is, as far as Redis has reported
    std::uint64_t epoch = 0;  // when it was read
    Milliseconds read_at{};
};

Sessions::Sessions(redis::Store& store, Clock& clock, SessionsOptions options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      renewals_(store, clock, options_.window, options_.on_renewal_refused),
      expiries_(store, clock),
      swept_(sessions_.end()),
      refused_(std::make_unique<Session>(static_cast<Owner&>(*this), std::span<const std::string_view>{})) {}

Sessions::~Sessions() = default;

std::unique_ptr<Watch> Sessions::watch(const Question& question, Answer answer) {
    if ((question.live || question.cache.count() > 0) && !tracking_) {
        store_.track(*this);
        tracking_ = true;
    }
    ++tally_.lookups;
    if (first_.size() >= options_.max_waiting) {
        clock_.wake_at(clock_.now());
        return refused_->watch(question, std::move(answer));
    }
    Session& session = find_or_add(question);
    std::unique_ptr<Watch> watch;
    try {
        watch = session.watch(question, std::move(answer));
    } catch (...) {
        if (!session.watched()) { unused(session); }
        throw;
    }
    if (session.place == Place::unwatched) { rest(session); }
    if (session.place == Place::resting && will_do(session, question.cache)) {
        ++tally_.cached;
        session.tell_known(*watch);
        after_telling(session);
    } else if (session.place != Place::first && session.place != Place::reading) {
        enter(session, first_, Place::first);
    }
    return watch;
}

Sessions::Session& Sessions::find_or_add(const Question& question) {
    if (const auto found = table_.find(question.command); found != table_.end()) { return *found->second; }
    const auto session = sessions_.emplace(sessions_.end(), static_cast<Owner&>(*this), question.command);
    session->itself = session;
    try {
        table_.emplace(session->command(), session);
        for (const std::string_view key : session->keys) { by_key_.emplace(key, &*session); }
    } catch (...) {
        forget_keys(*session);
        table_.erase(session->command());
        sessions_.erase(session);
        throw;
    }
    return *session;
}

void Sessions::forget_keys(const Session& session) noexcept {
    for (const std::string_view key : session.keys) {
        const auto [first, last] = by_key_.equal_range(key);
        const auto own = std::find_if(first, last, [&](const auto& entry) { return entry.second == &session; });
        if (own != last) { by_key_.erase(own); }
    }
}

void Sessions::erase(Session& session) noexcept {
    rest(session);
    forget_keys(session);
    renewals_.drop(&session);
    expiries_.forget(session);
    table_.erase(session.command());
    if (swept_ == session.itself) { ++swept_; }
    sessions_.erase(session.itself);
}

void Sessions::unused(SharedSession& shared) noexcept {
    if (&shared == refused_.get()) { return; }
    auto& session = static_cast<Session&>(shared);
    renewals_.drop(&session);
    if (session.cache().count() == 0 || unwatched_ == options_.max_unwatched || session.place != Place::resting ||
        !will_do(session, session.cache())) {
        erase(session);
        return;
    }
    try {
        schedule(session, session.read_at + session.cache(), Place::unwatched);
    } catch (...) { erase(session); }
}

void Sessions::renewal_changed(SharedSession& shared) {
    const auto& session = static_cast<Session&>(shared);
    if (session.renewal() && !session.keys.empty()) {
        renewals_.keep(&session, session.keys.front(), *session.renewal());
    } else {
        renewals_.drop(&session);
    }
}

void Sessions::invalidated(std::string_view key) {
    auto [at, last] = by_key_.equal_range(key);
    while (at != last) {
        Session& session = *(at++)->second;  // it may be erased
        changed(session);
    }
}

void Sessions::missed() {
    ++epoch_;
    swept_ = sessions_.begin();
    clock_.wake_at(clock_.now());
}

void Sessions::tracked(bool on) {
    const bool was_on = std::exchange(tracked_, on);
    if (was_on && !on) { missed(); }
}

// The session may have changed: it is read again, but not more often than the pace allows.
void Sessions::changed(Session& session) {
    session.known = false;
    switch (session.place) {
        case Place::reading: session.stale = true; break;
        case Place::first:
        case Place::again: break;
        case Place::unwatched: erase(session); break;
        case Place::scheduled:
        case Place::resting:
            schedule(session, std::max(clock_.now(), session.read_at + options_.pace), Place::scheduled);
            break;
    }
}

// Would Redis have reported a change?
bool Sessions::is_known(const Session& session) const noexcept {
    return session.known && session.reported && tracked_ && session.epoch == epoch_ && !expiries_.is_over(session);
}

// It has been read not longer ago than that, either.
bool Sessions::will_do(const Session& session, Milliseconds cache) const noexcept {
    return is_known(session) && clock_.now() - session.read_at < cache;
}

void Sessions::enter(Session& session, Queue& queue, Place place) {
    const auto queued = queue.insert(queue.end(), &session);
    rest(session);
    session.queued = queued;
    session.place = place;
    session.entered = clock_.now();
    clock_.wake_at(clock_.now());
}

void Sessions::schedule(Session& session, Milliseconds time, Place place) {
    if (session.place == place && session.scheduled->first <= time) { return; }
    const auto scheduled = schedule_.emplace(time, &session);
    rest(session);
    session.scheduled = scheduled;
    session.place = place;
    if (place == Place::unwatched) { ++unwatched_; }
    clock_.wake_at(time);
}

// Takes the session out of wherever it is.
void Sessions::rest(Session& session) noexcept {
    switch (std::exchange(session.place, Place::resting)) {
        case Place::resting: break;
        case Place::first: first_.erase(session.queued); break;
        case Place::again: again_.erase(session.queued); break;
        case Place::unwatched: --unwatched_; [[fallthrough]];
        case Place::scheduled: schedule_.erase(session.scheduled); break;
        case Place::reading:
            session.reply.reset();
            --reading_;
            if (!first_.empty() || !again_.empty()) { clock_.wake_at(clock_.now()); }
            break;
    }
}

void Sessions::run() {
    static constexpr std::string_view too_many = "too many lookups";
    refused_->asked();
    refused_->tell(refused(WS_AUTH_UNAVAILABLE, too_many));
    refuse_late();
    run_expiries();
    sweep();
    run_schedule();
    start_reads();
    renewals_.run();
    if (!schedule_.empty()) { clock_.wake_at(schedule_.begin()->first); }
    if (!expiries_.empty()) { clock_.wake_at(expiries_.due()); }
    if (!first_.empty()) { clock_.wake_at(first_.front()->entered + options_.patience); }
}

// Those for whom there was no place among the reads under way in all that time.
void Sessions::refuse_late() {
    for (int n = 0; n < batch && !first_.empty() && first_.front()->entered + options_.patience <= clock_.now(); ++n) {
        Session& session = *first_.front();
        enter(session, again_, Place::again);
        session.asked();
        tell(session, refused(WS_AUTH_UNAVAILABLE, "no place among the lookups in time"));
    }
}

// Some more of what missed() asked for, as long as not many are waiting already.
void Sessions::sweep() {
    for (int n = 0; swept_ != sessions_.end() && n < batch && again_.size() < options_.window; ++n) {
        const auto next = std::next(swept_);
        if (swept_->epoch != epoch_) { changed(*swept_); }
        swept_ = next;
    }
    if (swept_ != sessions_.end() && again_.size() < options_.window) { clock_.wake_at(clock_.now()); }
}

void Sessions::run_expiries() {
    for (int n = 0; n < batch; ++n) {
        Expiries::Entry* expired = expiries_.next();
        if (expired == nullptr) { return; }
        auto& session = static_cast<Session&>(*expired);
        try {
            changed(session);
        } catch (const std::bad_alloc&) { lost(session); }
    }
}

void Sessions::run_schedule() {
    for (int n = 0; n < batch && !schedule_.empty() && schedule_.begin()->first <= clock_.now(); ++n) {
        Session& session = *schedule_.begin()->second;
        if (session.place == Place::unwatched) {
            erase(session);
        } else {
            enter(session, again_, Place::again);
        }
    }
}

void Sessions::start_reads() {
    while (reading_ < options_.window) {
        Queue& queue = first_.empty() ? again_ : first_;
        if (queue.empty()) { return; }
        read(*queue.front());
    }
}

// Without memory for it, the session stays where it is.
void Sessions::read(Session& session) {
    const std::vector<std::string_view> command(session.command().begin(), session.command().end());
    auto reply = store_.send(command, [this, &session](const redis::Outcome& outcome) { on_reply(session, outcome); });
    // On the same way, since that is cheaper than another. Who is answered once has no use for it.
    const bool stays = session.recheck().count() > 0 || session.cache().count() > 0;
    if (stays && !session.keys.empty()) { expiries_.ask(session, session.keys.front()); }
    rest(session);
    session.stale = false;
    session.known = false;
    session.epoch = epoch_;
    session.read_at = clock_.now();
    session.reply = std::move(reply);
    session.asked();
    session.place = Place::reading;
    ++reading_;
    ++tally_.reads;
}

void Sessions::on_reply(Session& session, const redis::Outcome& outcome) {
    try {
        take(session, outcome);
    } catch (const std::bad_alloc&) {
        // What Redis says is lost, as if it couldn't be asked.
        rest(session);
        lost(session);
        tell(session, refused(WS_AUTH_UNAVAILABLE, "out of memory"));
    }
}

void Sessions::take(Session& session, const redis::Outcome& outcome) {
    std::string made;
    const Verdict verdict = judge(outcome, session.command(), made);
    const bool answered = verdict.status != WS_AUTH_UNAVAILABLE;
    const bool stale = session.stale;
    rest(session);
    if (answered && stale && !std::exchange(session.read_twice, true)) {
        // It changed behind this reply: nobody is let in on what may be gone already.
        read(session);
        return;
    }
    session.read_twice = false;
    plan_next_read(session, answered, stale);
    session.known = verdict.status == WS_AUTH_ALLOWED && !stale;
    tell(session, verdict);
    // More may be waiting for a place, and the sweep for a shorter queue.
    if (swept_ != sessions_.end() || !first_.empty() || !again_.empty()) { clock_.wake_at(clock_.now()); }
}

// Without memory for a place among those that are to be read again: the sweep comes by.
void Sessions::lost(Session& session) noexcept {
    session.known = false;
    session.epoch = epoch_ - 1;
    swept_ = sessions_.begin();
    clock_.wake_at(clock_.now());
}

void Sessions::plan_next_read(Session& session, bool answered, bool stale) {
    const Milliseconds recheck = session.recheck();
    if (answered && stale) {
        schedule(session, clock_.now() + options_.pace, Place::scheduled);
    } else if (!answered) {
        schedule(session, clock_.now() + (recheck.count() > 0 ? std::min(recheck, retry) : retry), Place::scheduled);
    } else if (!(tracked_ && session.reported) && recheck.count() > 0) {
        schedule(session, clock_.now() + recheck, Place::scheduled);
    }
}

void Sessions::tell(Session& session, const Verdict& verdict) {
    const Milliseconds age = clock_.now() - session.read_at;
    session.tell(verdict, is_known(session) ? std::optional(age) : std::nullopt);
    after_telling(session);
}

// The session may be gone afterwards.
void Sessions::after_telling(Session& session) {
    if (!session.watched()) {
        unused(session);
    } else if (session.awaited() && session.place != Place::first && session.place != Place::reading) {
        // They came when the read was on its way already.
        enter(session, first_, Place::first);
    }
}

}  // namespace ws::auth
