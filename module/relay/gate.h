// How fast a client may send, whatever the delivery: messages and control frames, each with a rate. Looks at frame headers
// only, ahead of the delivery, and stops before a frame that would be one too many.
#pragma once

#include <cstddef>
#include <string_view>

#include "relay/rate.h"
#include "websocket/follower.h"

namespace ws::relay {

struct GateLimits {
    Rate messages{};
    Rate controls{};              // pings, pongs and close frames
    bool delay_messages = false;  // a client that sends too many messages is not read for a while, instead of closed
};

class Gate {
public:
    enum class Verdict { open, too_many_messages, too_many_controls };

    explicit Gate(const GateLimits& limits) noexcept;

    // How much of `data`, which continues the client's stream, may pass; all of it unless verdict() says otherwise. What
    // may not is to be given again.
    [[nodiscard]] std::size_t admit(std::string_view data, Milliseconds now) noexcept;

    // The same for data that is `n` whole messages, none of which has been given before. False: not all of them may pass, and none has
    // been admitted.
    [[nodiscard]] bool admit_messages(std::size_t n, Milliseconds now) noexcept {
        return !messages_.limited() || messages_.take(now, static_cast<std::uint32_t>(n));
    }

    // Of the last admit().
    [[nodiscard]] Verdict verdict() const noexcept { return verdict_; }

    // Until there is room for another message.
    [[nodiscard]] Milliseconds wait(Milliseconds now) noexcept { return messages_.wait(now); }
    [[nodiscard]] bool delays() const noexcept { return delay_messages_; }

private:
    [[nodiscard]] Verdict judge(char first_byte, Milliseconds now) noexcept;

    websocket::Follower follower_;
    TokenBucket messages_;
    TokenBucket controls_;
    bool delay_messages_;
    Verdict verdict_ = Verdict::open;
};

}  // namespace ws::relay
