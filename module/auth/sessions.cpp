#include "auth/sessions.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>
#include <vector>

#include "auth/session_reply.h"

namespace ws::auth {

namespace {

// What one run() may do of the same kind, so that no crowd holds up the event loop.
constexpr int batch = 256;

// Where Redis can't be asked, sessions stay as they are known; this is how long until somebody asks again, if nobody says
// earlier that Redis is back.
constexpr Milliseconds retry{30000};

// A command's words as one text, each with its length in front: no two commands have the same.
std::string joined(std::span<const std::string_view> command) {
    std::string text;
    for (const std::string_view word : command) { text.append(std::to_string(word.size())).append(":").append(word); }
    return text;
}

// A session that outlives the reply it came in.
using OwnedHash = std::vector<std::pair<std::string, std::string>>;
using Value = std::variant<std::string, OwnedHash>;

Value own(const auth::Session& session) {
    if (const auto* text = std::get_if<std::string_view>(&session)) { return std::string(*text); }
    const auto& hash = std::get<context::SessionHash>(session);
    return OwnedHash(hash.begin(), hash.end());
}

auth::Session view(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) { return std::string_view(*text); }
    const auto& hash = std::get<OwnedHash>(value);
    return context::SessionHash(hash.begin(), hash.end());
}

}  // namespace

struct Sessions::Session {
    std::vector<std::string> command;
    Table::iterator name;
    std::list<SessionWatch*> watches;
    Place place = Place::resting;
    Queue::iterator queued;        // Place::first, known or again
    Schedule::iterator scheduled;  // Place::scheduled
    std::unique_ptr<redis::Pending> reply;
    bool stale = false;          // it has changed while it was being read
    bool read_twice = false;     // and is being read again for that
    bool telling = false;        // its watches are being told: none may leave the list
    std::optional<Value> value;  // as it was read last
    std::uint64_t epoch = 0;     // when that was
    Milliseconds read_at{};
    Milliseconds recheck{};  // the shortest of its watches'; 0: none
};

class Sessions::SessionWatch final : public Watch {
public:
    SessionWatch(Sessions& owner, Session& session, bool live, Answer answer)
        : owner_(owner), session_(&session), live_(live), answer_(std::move(answer)) {
        place_ = session.watches.insert(session.watches.end(), this);
    }
    // One that will be refused.
    SessionWatch(Sessions& owner, Answer answer)
        : owner_(owner), session_(nullptr), live_(false), answer_(std::move(answer)) {
        place_ = owner.refused_.insert(owner.refused_.end(), this);
    }
    SessionWatch(const SessionWatch&) = delete;
    SessionWatch& operator=(const SessionWatch&) = delete;
    ~SessionWatch() override { leave(); }

    [[nodiscard]] bool answered() const noexcept { return answered_; }

    // May destroy this object.
    void tell(const Verdict& verdict) {
        if (answered_ && verdict.status == Verdict::Status::unavailable) { return; }
        answered_ = true;
        if (live_ && verdict.status == Verdict::Status::allowed) {
            const Answer answer = answer_;  // a copy: the callback may destroy this object
            answer(verdict);
            return;
        }
        const Answer answer = std::move(answer_);
        leave();
        answer(verdict);
    }

private:
    void leave() noexcept {
        if (std::exchange(gone_, true)) { return; }
        if (session_ == nullptr) {
            owner_.refused_.erase(place_);
        } else {
            owner_.remove(*session_, place_);
        }
    }

    Sessions& owner_;
    Session* session_;  // valid until gone_
    bool live_;
    bool answered_ = false;
    bool gone_ = false;
    Answer answer_;
    std::list<SessionWatch*>::iterator place_;
};

Sessions::Sessions(redis::Store& store, Clock& clock, SessionsOptions options) noexcept
    : store_(store), clock_(clock), options_(options) {}

Sessions::~Sessions() = default;

std::unique_ptr<Watch> Sessions::watch(const Question& question, Answer answer) {
    if (first_.size() >= options_.max_waiting) {
        clock_.wake_at(clock_.now());
        return std::make_unique<SessionWatch>(*this, std::move(answer));
    }
    Session& session = find_or_add(question);
    if (question.live && question.recheck.count() > 0) {
        session.recheck = session.recheck.count() == 0 ? question.recheck : std::min(session.recheck, question.recheck);
    }
    auto watch = std::make_unique<SessionWatch>(*this, session, question.live, std::move(answer));
    if (question.live && !std::exchange(tracking_, true)) { store_.track(*this); }
    if (is_known(session)) {
        if (session.place != Place::known) { enter(session, known_, Place::known); }
    } else if (session.place != Place::reading) {
        // One read serves all who wait for it: if the session changes behind it, that is reported, and it is read again.
        enter(session, first_, Place::first);
    }
    return watch;
}

Sessions::Session& Sessions::find_or_add(const Question& question) {
    const auto [place, added] = table_.try_emplace(joined(question.command));
    if (added) {
        place->second = std::make_unique<Session>();
        place->second->name = place;
        place->second->command.assign(question.command.begin(), question.command.end());
    }
    return *place->second;
}

void Sessions::remove(Session& session, std::list<SessionWatch*>::iterator place) noexcept {
    if (session.telling) {
        *place = nullptr;
        return;
    }
    session.watches.erase(place);
    erase_if_unused(session);
}

void Sessions::erase_if_unused(Session& session) noexcept {
    if (!session.watches.empty()) { return; }
    rest(session);
    table_.erase(session.name);
}

void Sessions::invalidated(std::string_view key) {
    for (const std::string_view verb : {"GET", "HGETALL"}) {
        const auto found = table_.find(joined(std::array{verb, key}));
        if (found != table_.end()) { touch(*found->second); }
    }
}

void Sessions::missed() {
    ++epoch_;
    swept_.emplace();
    clock_.wake_at(clock_.now());
}

void Sessions::tracked(bool on) {
    tracked_ = on;
    if (!on) { missed(); }
}

// The session may have changed: it is read again, but not more often than the pace allows.
void Sessions::touch(Session& session) {
    session.value.reset();
    switch (session.place) {
        case Place::reading: session.stale = true; break;
        case Place::first:
        case Place::again: break;
        case Place::known: enter(session, first_, Place::first); break;
        case Place::scheduled:
        case Place::resting: schedule(session, std::max(clock_.now(), session.read_at + options_.pace)); break;
    }
}

// Is it resting, or waiting to tell, with a value that Redis would have reported a change of?
bool Sessions::is_known(const Session& session) const noexcept {
    return tracked_ && session.value && session.epoch == epoch_ &&
           (session.place == Place::resting || session.place == Place::known);
}

void Sessions::enter(Session& session, Queue& queue, Place place) {
    rest(session);
    session.queued = queue.insert(queue.end(), &session);
    session.place = place;
    clock_.wake_at(clock_.now());
}

void Sessions::schedule(Session& session, Milliseconds time) {
    if (session.place == Place::scheduled && session.scheduled->first <= time) { return; }
    rest(session);
    session.scheduled = schedule_.emplace(time, &session);
    session.place = Place::scheduled;
    clock_.wake_at(time);
}

// Takes the session out of wherever it is.
void Sessions::rest(Session& session) noexcept {
    switch (std::exchange(session.place, Place::resting)) {
        case Place::resting: break;
        case Place::first: first_.erase(session.queued); break;
        case Place::known: known_.erase(session.queued); break;
        case Place::again: again_.erase(session.queued); break;
        case Place::scheduled: schedule_.erase(session.scheduled); break;
        case Place::reading:
            session.reply.reset();
            --reading_;
            if (!first_.empty() || !again_.empty()) { clock_.wake_at(clock_.now()); }
            break;
    }
}

void Sessions::run() {
    tell_refused();
    answer_known();
    sweep();
    for (int n = 0; n < batch && !schedule_.empty() && schedule_.begin()->first <= clock_.now(); ++n) {
        enter(*schedule_.begin()->second, again_, Place::again);
    }
    start_reads();
    if (!schedule_.empty()) { clock_.wake_at(schedule_.begin()->first); }
}

// Some more of what missed() asked for, as long as not many are waiting already.
void Sessions::sweep() {
    for (int n = 0; swept_ && n < batch && again_.size() < options_.window; ++n) {
        const auto next = table_.upper_bound(*swept_);
        if (next == table_.end()) {
            swept_.reset();
            return;
        }
        swept_ = next->first;
        touch(*next->second);
    }
    if (swept_ && again_.size() < options_.window) { clock_.wake_at(clock_.now()); }
}

void Sessions::start_reads() {
    while (reading_ < options_.window) {
        Queue& queue = first_.empty() ? again_ : first_;
        if (queue.empty()) { return; }
        Session& session = *queue.front();
        rest(session);
        read(session);
    }
}

void Sessions::read(Session& session) {
    const std::vector<std::string_view> command(session.command.begin(), session.command.end());
    session.stale = false;
    session.value.reset();
    session.epoch = epoch_;
    session.read_at = clock_.now();
    session.reply =
        store_.send(command, [this, &session](const redis::Outcome& outcome) { on_reply(session, outcome); });
    session.place = Place::reading;
    ++reading_;
    ++reads_;
}

void Sessions::on_reply(Session& session, const redis::Outcome& outcome) {
    const Verdict verdict = judge(outcome);
    const bool answered = verdict.status != Verdict::Status::unavailable;
    const bool stale = session.stale;
    rest(session);
    if (answered && stale && !std::exchange(session.read_twice, true)) {
        // It changed behind this reply: nobody is let in on what may be gone already.
        read(session);
        return;
    }
    session.read_twice = false;
    plan_next_read(session, answered, stale);
    if (verdict.status == Verdict::Status::allowed && !stale && tracked_) { session.value = own(verdict.session); }
    tell(session, verdict, false);
    // More may be waiting for a place, and the sweep for a shorter queue.
    if (swept_ || !first_.empty() || !again_.empty()) { clock_.wake_at(clock_.now()); }
}

void Sessions::plan_next_read(Session& session, bool answered, bool stale) {
    if (answered && stale) {
        schedule(session, clock_.now() + options_.pace);
    } else if (!answered) {
        schedule(session, clock_.now() + (session.recheck.count() > 0 ? std::min(session.recheck, retry) : retry));
    } else if (!tracked_ && session.recheck.count() > 0) {
        schedule(session, clock_.now() + session.recheck);
    }
}

void Sessions::answer_known() {
    while (!known_.empty()) {
        Session& session = *known_.front();
        if (session.epoch != epoch_) {
            enter(session, first_, Place::first);
            continue;
        }
        rest(session);
        const Value value = *session.value;  // a copy: those who are told may have the session read again
        tell(session, {Verdict::Status::allowed, view(value), {}}, true);
    }
}

// Tells its watches. The session may be gone afterwards.
void Sessions::tell(Session& session, const Verdict& verdict, bool newcomers_only) {
    session.telling = true;
    std::size_t left = session.watches.size();  // those that come meanwhile wait for the next read
    for (auto at = session.watches.begin(); left > 0; --left, ++at) {
        if (*at != nullptr && !(newcomers_only && (*at)->answered())) { (*at)->tell(verdict); }
    }
    session.telling = false;
    session.watches.remove(nullptr);
    erase_if_unused(session);
}

void Sessions::tell_refused() {
    std::size_t left = refused_.size();
    for (; left > 0 && !refused_.empty(); --left) {
        refused_.front()->tell({Verdict::Status::unavailable, {}, "too many lookups"});
    }
}

}  // namespace ws::auth
