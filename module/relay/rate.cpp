#include "relay/rate.h"

#include <algorithm>

namespace ws::relay {

void TokenBucket::refill(Milliseconds now) noexcept {
    if (filled_.count() >= 0) {
        const std::int64_t full = rate_.burst * unit;
        // What fills it from empty is enough: a bucket that nobody has looked at for weeks must not overflow.
        const std::int64_t passed = std::min<std::int64_t>((now - filled_).count(), full / rate_.per_minute + 1);
        tokens_ = std::min(full, tokens_ + passed * rate_.per_minute);
    }
    filled_ = now;
}

bool TokenBucket::take(Milliseconds now, std::uint32_t n) noexcept {
    refill(now);
    if (tokens_ < n * unit) { return false; }
    tokens_ -= n * unit;
    return true;
}

Milliseconds TokenBucket::wait(Milliseconds now) noexcept {
    refill(now);
    const std::int64_t missing = unit - tokens_;
    return Milliseconds(missing <= 0 ? 0 : (missing + rate_.per_minute - 1) / rate_.per_minute);
}

}  // namespace ws::relay
