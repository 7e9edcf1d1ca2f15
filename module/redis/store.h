// What the rest of the module may ask of Redis: one command, one answer, never blocking.
//
// Implemented over nginx's event loop by nginx/redis_client; everything above it sees only this interface.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "redis/invalidations.h"

struct redisReply;

namespace ws::redis {

// The answer to one command.
struct Outcome {
    enum class Status {
        reply,  // `reply` is what the server answered, an error reply included; TOOLARGE is ours, for a reply above the limit
        unavailable,  // no usable connection, connection lost, or login refused
        timeout,      // no reply within the timeout
    };
    Status status = Status::unavailable;
    const redisReply* reply = nullptr;  // valid during the callback only; null unless Status::reply
};

// A command under way. Destroying it cancels the callback (the reply is still read and dropped).
class Pending {
public:
    virtual ~Pending() = default;
};

class Store {
public:
    using Done = std::function<void(const Outcome&)>;

    virtual ~Store() = default;

    // Sends one command as an argument vector; the arguments are copied before send() returns.
    // `done` is called at most once, never before send() has returned, never after the handle is gone.
    // The callback may destroy its own handle and may send further commands. It must not throw.
    // Commands about one key that are sent without a return to the event loop in between are executed in that order (unless
    // a cluster that is just being changed sends them on).
    [[nodiscard]] virtual std::unique_ptr<Pending> send(std::span<const std::string_view> argv, Done done) = 0;

    // Has the keys that are read reported to `listener`, which outlives the store, as soon as that is possible. Once.
    virtual void track(Invalidations& listener) = 0;
};

}  // namespace ws::redis
