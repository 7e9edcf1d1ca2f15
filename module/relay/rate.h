// A token bucket: so many events per second, and so many at once.
#pragma once

#include <chrono>
#include <cstdint>

namespace ws::relay {

using Milliseconds = std::chrono::milliseconds;

// What a directive says. No rate: no limit.
struct Rate {
    std::uint32_t per_minute = 0;
    std::uint32_t burst = 0;  // at least 1 where there is a rate
};

class TokenBucket {
public:
    // Full at first.
    explicit TokenBucket(const Rate& rate) noexcept : rate_(rate), tokens_(rate.burst * unit) {}

    [[nodiscard]] bool limited() const noexcept { return rate_.per_minute > 0; }

    // Takes so many tokens, if they are there.
    [[nodiscard]] bool take(Milliseconds now, std::uint32_t n = 1) noexcept;

    // How long until there is one, at most. 0: there is.
    [[nodiscard]] Milliseconds wait(Milliseconds now) noexcept;

private:
    static constexpr std::int64_t unit =
        60'000;  // of a token: what a rate of 1 per minute brings in a millisecond is whole

    void refill(Milliseconds now) noexcept;

    Rate rate_;
    std::int64_t tokens_;
    Milliseconds filled_{-1};  // at this time
};

}  // namespace ws::relay
