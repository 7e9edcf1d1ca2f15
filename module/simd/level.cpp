#include "simd/level.h"

#include <algorithm>

namespace ws::simd {

Level detected() noexcept {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) { return Level::avx2; }
#endif
    return Level::baseline;
}

Level chosen = detected();

void limit(Level most) noexcept { chosen = std::min(most, detected()); }

}  // namespace ws::simd
