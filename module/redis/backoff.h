// How long to wait before the next attempt to reconnect: the range doubles with each failure, and the delay is drawn from all
// of it, so that many workers don't come back at the same moment.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ws::redis {

class Backoff {
public:
    static constexpr std::uint32_t min_ms = 100;
    static constexpr std::uint32_t max_ms = 5000;

    // The next delay, between min_ms and the current ceiling; `random` is any evenly distributed number.
    [[nodiscard]] std::uint32_t next(std::uint32_t random) noexcept {
        ceiling_ = std::min(ceiling_ * 2, max_ms);
        return min_ms + random % (ceiling_ - min_ms + 1);
    }

    // After a success.
    void reset() noexcept { ceiling_ = min_ms; }

private:
    std::uint32_t ceiling_ = min_ms;
};

}  // namespace ws::redis
