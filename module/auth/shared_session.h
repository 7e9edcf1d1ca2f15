// One session of the store and all who watch it: what it was when it was read last, and whom to tell.
//
// Whoever comes is answered by a read that was sent after he came: what was read, or was on its way, before is older than his
// question, and the session may have ended in between. Only who says so (Question::cache) takes what is known already.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/session_watch.h"

namespace ws::auth {

class SharedSession {
public:
    class Owner {
    public:
        // The last watch has left; from its destructor. May destroy the session.
        virtual void unused(SharedSession& session) noexcept = 0;
        // renewal() is another.
        virtual void renewal_changed(SharedSession& session) = 0;

    protected:
        ~Owner() = default;
    };

    SharedSession(Owner& owner, std::span<const std::string_view> command);
    SharedSession(const SharedSession&) = delete;
    SharedSession& operator=(const SharedSession&) = delete;

    // Neither starts a read nor calls `answer`.
    [[nodiscard]] std::unique_ptr<Watch> watch(const Question& question, Answer answer);

    [[nodiscard]] bool watched() const noexcept { return !watches_.empty(); }
    // Somebody waits for his first answer.
    [[nodiscard]] bool awaited() const noexcept { return waiting_ > 0; }

    [[nodiscard]] const std::vector<std::string>& command() const noexcept { return command_; }
    // The shortest that a watch has asked for; 0: none.
    [[nodiscard]] Milliseconds recheck() const noexcept { return recheck_; }
    // The longest that a watch has asked for.
    [[nodiscard]] Milliseconds cache() const noexcept { return cache_; }

    // What those who want it renewed have asked for: the longest ttl, the shortest interval. Nothing once all of them have left.
    [[nodiscard]] const std::optional<Renewal>& renewal() const noexcept { return renewal_; }

    // A read is being sent.
    void asked() noexcept { ++reads_; }
    // Its answer, for all who came before it was sent; those who were answered before hear only of a change. `age`: so old it is, and
    // will do for those who came behind it and take what is that old. Callbacks may end watches and begin others; the session
    // stays until this returns.
    void tell(const Verdict& verdict, std::optional<Milliseconds> age = std::nullopt);
    // What was told last, to a watch that has just begun. Only after an `allowed`. Callbacks as above.
    void tell_known(Watch& watch);

private:
    class Watcher;
    class Telling;
    using Watchers = std::list<Watcher*>;

    [[nodiscard]] bool is_news(const Verdict& verdict) const;
    void add_renewal(const Renewal& renewal);
    void end_renewal();
    void leave(Watchers::iterator place) noexcept;

    Owner& owner_;
    std::vector<std::string> command_;
    Watchers watches_;  // null: has left while others were being told
    std::size_t waiting_ = 0;
    std::uint64_t reads_ = 0;
    bool telling_ = false;
    bool left_meanwhile_ = false;       // somebody, while others were being told
    std::optional<std::string> value_;  // of the last `allowed`
    Milliseconds recheck_{};
    Milliseconds cache_{};
    std::optional<Renewal> renewal_;
    std::size_t renewing_ = 0;
};

}  // namespace ws::auth
