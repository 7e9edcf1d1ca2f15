// Vectors of bytes as g++ and clang know them on every architecture: the compiler makes of 32 bytes what the instruction
// set has, two vectors of 16 or one of 32.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ws::simd {

using Bytes [[gnu::vector_size(32)]] = std::uint8_t;
using Words [[gnu::vector_size(32)]] = std::uint64_t;

inline constexpr std::size_t width = sizeof(Bytes);

// memcpy: the compiler makes one unaligned load of it. By reference: how a vector is returned depends on the instruction set.
[[gnu::always_inline]] inline void load(Bytes& bytes, const char* data) noexcept {
    std::memcpy(&bytes, data, sizeof bytes);
}

// Is any bit set? A comparison's result is a vector of bytes that are all ones or all zeros.
template <class Vector>
[[gnu::always_inline]] inline bool any(const Vector& vector) noexcept {
    Words words;
    static_assert(sizeof vector == sizeof words);
    std::memcpy(&words, &vector, sizeof words);
    return (words[0] | words[1] | words[2] | words[3]) != 0;
}

// Where a comparison was true first; `width` if nowhere.
template <class Vector>
[[gnu::always_inline]] inline std::size_t first(const Vector& vector) noexcept {
    Words words;
    static_assert(sizeof vector == sizeof words);
    std::memcpy(&words, &vector, sizeof words);
    for (std::size_t i = 0; i < 4; ++i) {
        if (words[i] != 0) {
            const int zeros =
                std::endian::native == std::endian::little ? std::countr_zero(words[i]) : std::countl_zero(words[i]);
            return 8 * i + static_cast<std::size_t>(zeros) / 8;
        }
    }
    return width;
}

}  // namespace ws::simd
