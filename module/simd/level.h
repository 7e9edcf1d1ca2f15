// Which instructions the loops over bytes may use: found out when the program starts, since a package is built for all
// machines and runs on one.
#pragma once

#include <cstdint>

namespace ws::simd {

enum class Level : std::uint8_t {
    baseline,  // what every machine of the architecture has
    avx2,      // x86-64: vectors of 32 bytes, shuffles
};

// The best that this machine has.
[[nodiscard]] Level detected() noexcept;

extern Level chosen;

// What the loops use: detected(), unless limited.
[[nodiscard]] inline Level level() noexcept { return chosen; }

// No more than this from now on; for tests and measurements.
void limit(Level most) noexcept;

}  // namespace ws::simd
