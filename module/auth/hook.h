// What stands between a token and a session. Redis is one hook; others fit behind the same interface.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <variant>

#include "context/recipe.h"

namespace ws::auth {

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

// A lookup under way. Destroying it cancels the callback.
class Lookup {
public:
    virtual ~Lookup() = default;
};

class Hook {
public:
    using Done = std::function<void(const Verdict&)>;

    virtual ~Hook() = default;

    // `done` is called at most once, never before start() has returned, never after the handle is gone.
    // `question` is the location's ws_auth_redis_command with its variables evaluated; copied.
    [[nodiscard]] virtual std::unique_ptr<Lookup> start(std::span<const std::string_view> question, Done done) = 0;
};

}  // namespace ws::auth
