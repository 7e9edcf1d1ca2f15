#include "context/escape.h"

#include "simd/level.h"
#include "simd/vector.h"

namespace ws::context {

namespace {

[[gnu::always_inline]] inline std::size_t plain_bytes(const char* data, std::size_t n) noexcept {
    std::size_t i = 0;
    for (; n - i >= simd::width; i += simd::width) {
        simd::Bytes bytes;
        simd::load(bytes, data + i);
        const auto special = (bytes < 0x20) | (bytes == '"') | (bytes == '\\');
        if (simd::any(special)) { return i + simd::first(special); }
    }
    while (i < n && !needs_escape(data[i])) { ++i; }
    return i;
}

std::size_t plain_baseline(const char* data, std::size_t n) noexcept { return plain_bytes(data, n); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::size_t plain_avx2(const char* data, std::size_t n) noexcept {
    return plain_bytes(data, n);
}
#endif

}  // namespace

std::size_t plain_run(std::string_view text) noexcept {
#if defined(__x86_64__)
    if (simd::level() == simd::Level::avx2) { return plain_avx2(text.data(), text.size()); }
#endif
    return plain_baseline(text.data(), text.size());
}

}  // namespace ws::context
