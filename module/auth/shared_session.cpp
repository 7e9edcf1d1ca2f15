#include "auth/shared_session.h"

#include <algorithm>
#include <utility>

namespace ws::auth {

class SharedSession::Watcher final : public Watch {
public:
    Watcher(SharedSession& session, const Question& question, Answer answer)
        : session_(session),
          cache_(question.cache),
          live_(question.live),
          came_(session.reads_),
          answer_(std::move(answer)) {
        place_ = session.watches_.insert(session.watches_.end(), this);
        ++session.waiting_;
    }
    ~Watcher() override { leave(); }

    [[nodiscard]] bool answered() const noexcept { return answered_; }
    // Does it take what is so old?
    [[nodiscard]] bool takes(Milliseconds age) const noexcept { return age < cache_; }
    // Did it come before that read was sent?
    [[nodiscard]] bool came_before(std::uint64_t read) const noexcept { return came_ < read; }

    void renew(const Renewal& renewal) override {
        if (gone_ || std::exchange(renews_, true)) { return; }
        ++session_.renewing_;
        session_.add_renewal(renewal);
    }

    // May destroy this object.
    void tell(const Verdict& verdict) {
        if (!std::exchange(answered_, true)) { --session_.waiting_; }
        if (live_ && verdict.status == WS_AUTH_ALLOWED) {
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
        if (!answered_) { --session_.waiting_; }
        if (renews_ && --session_.renewing_ == 0) { session_.end_renewal(); }
        session_.leave(place_);
    }

    SharedSession& session_;  // valid until gone_
    Milliseconds cache_;
    bool live_;
    bool answered_ = false;
    bool gone_ = false;
    bool renews_ = false;
    std::uint64_t came_;
    Answer answer_;
    Watchers::iterator place_;
};

// Those who leave meanwhile keep their place in the list, also while one who is told begins a watch that is told at once.
class SharedSession::Telling final {
public:
    explicit Telling(SharedSession& session) noexcept
        : session_(session), outermost_(!std::exchange(session.telling_, true)) {}
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
    ~Telling() {
        if (!outermost_) { return; }
        session_.telling_ = false;
        if (std::exchange(session_.left_meanwhile_, false)) { session_.watches_.remove(nullptr); }
    }

private:
    SharedSession& session_;
    const bool outermost_;
};

SharedSession::SharedSession(Owner& owner, std::span<const std::string_view> command)
    : owner_(owner), command_(command.begin(), command.end()) {}

std::unique_ptr<Watch> SharedSession::watch(const Question& question, Answer answer) {
    auto watch = std::make_unique<Watcher>(*this, question, std::move(answer));
    if (question.live && question.recheck.count() > 0) {
        recheck_ = recheck_.count() == 0 ? question.recheck : std::min(recheck_, question.recheck);
    }
    cache_ = std::max(cache_, question.cache);
    return watch;
}

void SharedSession::add_renewal(const Renewal& renewal) {
    renewal_ = renewal_ ? Renewal{std::max(renewal_->ttl, renewal.ttl), std::min(renewal_->interval, renewal.interval)}
                        : renewal;
    owner_.renewal_changed(*this);
}

void SharedSession::end_renewal() {
    renewal_.reset();
    owner_.renewal_changed(*this);
}

void SharedSession::leave(Watchers::iterator place) noexcept {
    if (telling_) {
        *place = nullptr;
        left_meanwhile_ = true;
        return;
    }
    watches_.erase(place);
    if (watches_.empty()) { owner_.unused(*this); }
}

// For those who have been told something before.
bool SharedSession::is_news(const Verdict& verdict) const {
    if (verdict.status == WS_AUTH_UNAVAILABLE) { return false; }
    return verdict.status != WS_AUTH_ALLOWED || !value_ || *value_ != view(verdict.session);
}

void SharedSession::tell(const Verdict& verdict, std::optional<Milliseconds> age) {
    const bool news = is_news(verdict);
    if (verdict.status == WS_AUTH_ALLOWED) {
        if (news) { value_ = view(verdict.session); }
    } else if (news) {
        value_.reset();
    }
    const auto concerns = [this, news, age](const Watcher& watch) {
        if (watch.answered()) { return news; }
        return watch.came_before(reads_) || (age && watch.takes(*age));
    };
    const Telling telling(*this);
    std::size_t left = watches_.size();  // those that come meanwhile have their turn later
    for (auto at = watches_.begin(); left > 0; --left, ++at) {
        if (*at != nullptr && concerns(**at)) { (*at)->tell(verdict); }
    }
}

void SharedSession::tell_known(Watch& watch) {
    const Telling telling(*this);
    static_cast<Watcher&>(watch).tell(allowed(*value_, 0, true));
}

}  // namespace ws::auth
