#include "websocket/mask.h"

#include <cstring>

#include "simd/level.h"
#include "simd/vector.h"

namespace ws::websocket {

namespace {

// `key` has the mask twice.
template <class Bytes>
[[gnu::always_inline]] inline void mask_bytes(char* data, std::size_t n, std::uint64_t key) noexcept {
    Bytes wide_key;
    for (std::size_t at = 0; at < sizeof wide_key; at += sizeof key) {
        std::memcpy(reinterpret_cast<char*>(&wide_key) + at, &key, sizeof key);
    }
    std::size_t i = 0;
    for (; n - i >= sizeof wide_key; i += sizeof wide_key) {
        Bytes bytes;
        simd::load(bytes, data + i);
        bytes ^= wide_key;
        std::memcpy(data + i, &bytes, sizeof bytes);
    }
    for (; n - i >= sizeof key; i += sizeof key) {
        std::uint64_t word;
        std::memcpy(&word, data + i, sizeof word);
        word ^= key;
        std::memcpy(data + i, &word, sizeof word);
    }
    std::array<std::uint8_t, sizeof key> pattern;
    std::memcpy(pattern.data(), &key, sizeof key);
    for (std::size_t at = 0; i < n; ++i, ++at) {
        data[i] = static_cast<char>(static_cast<std::uint8_t>(data[i]) ^ pattern[at]);
    }
}

void mask_baseline(char* data, std::size_t n, std::uint64_t key) noexcept { mask_bytes<simd::Bytes16>(data, n, key); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] void mask_avx2(char* data, std::size_t n, std::uint64_t key) noexcept {
    mask_bytes<simd::Bytes32>(data, n, key);
}
#endif

}  // namespace

void apply_mask(char* data, std::size_t n, MaskKey key, std::size_t offset) noexcept {
    std::array<std::uint8_t, sizeof(std::uint64_t)> pattern;
    for (std::size_t i = 0; i < pattern.size(); ++i) { pattern[i] = key[(offset + i) % key.size()]; }
    std::uint64_t wide;
    std::memcpy(&wide, pattern.data(), sizeof wide);
#if defined(__x86_64__)
    if (simd::level() == simd::Level::avx2) { return mask_avx2(data, n, wide); }
#endif
    mask_baseline(data, n, wide);
}

}  // namespace ws::websocket
