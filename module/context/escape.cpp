#include "context/escape.h"

#include "simd/level.h"
#include "simd/vector.h"

namespace ws::context {

namespace {

template <class Bytes>
[[gnu::always_inline]] inline std::size_t plain_bytes(const char* data, std::size_t n) noexcept {
    std::size_t i = 0;
    for (; n - i >= sizeof(Bytes); i += sizeof(Bytes)) {
        Bytes bytes;
        simd::load(bytes, data + i);
        const auto special = (bytes < 0x20) | (bytes == '"') | (bytes == '\\');
        if (const simd::Words found(special); found.any()) { return i + found.first(); }
    }
    while (i < n && !needs_escape(data[i])) { ++i; }
    return i;
}

std::size_t plain_baseline(const char* data, std::size_t n) noexcept { return plain_bytes<simd::Bytes16>(data, n); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::size_t plain_avx2(const char* data, std::size_t n) noexcept {
    return plain_bytes<simd::Bytes32>(data, n);
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
