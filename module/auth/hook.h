// What stands between a token and a session. Redis is one hook; others fit behind the same interface.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <variant>

#include "context/recipe.h"

namespace ws::auth {

using Milliseconds = std::chrono::milliseconds;

// What a hook found: a JSON text, or the fields of a hash. Views are valid during the callback only.
using Session = std::variant<std::string_view, context::SessionHash>;

struct Verdict {
    enum class Status {
        allowed,      // `session` is the session
        denied,       // there is no such session
        unavailable,  // it can't be known now
        invalid,      // the store's answer is no session
    };
    Status status = Status::unavailable;
    Session session;
    std::string_view detail;  // for the log; never a token, a key or a part of a session
};

struct Question {
    std::span<const std::string_view> command;  // of ws_auth_redis_command, its variables evaluated; copied
    bool live = false;                          // tell about changes as well
    Milliseconds recheck{};                     // how often to look for them where the store doesn't tell
    Milliseconds cache{};  // what was read so long ago, and has not changed as far as is known, will do as an answer
};

// How a session is kept from expiring: looked at every `interval`, its time to live is put up to `ttl` unless half of an
// interval ago somebody has done so (another worker, the application). A session without a time to live keeps none.
struct Renewal {
    Milliseconds ttl{};
    Milliseconds interval{};
};

// A question under way or, if live, an eye on the session. Destroying it ends the calls.
class Watch {
public:
    virtual ~Watch() = default;

    // From now on, and as long as this watch is there, the session is kept from expiring. Once, after an `allowed`.
    virtual void renew(const Renewal&) {}
};

class Hook {
public:
    // The first call is the answer. If the question is live, each later call tells what may be a change: `allowed` with the
    // session as it is now, `denied` when it is gone, `invalid` when it is a session no more; never `unavailable`.
    // Never called before watch() has returned, nor after the handle is gone. The callback may destroy its own handle and others.
    using Answer = std::function<void(const Verdict&)>;

    virtual ~Hook() = default;

    [[nodiscard]] virtual std::unique_ptr<Watch> watch(const Question& question, Answer answer) = 0;
};

}  // namespace ws::auth
