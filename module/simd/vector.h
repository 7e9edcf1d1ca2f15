// Vectors of bytes as g++ and clang know them on every architecture. A loop is written once, as a template, and compiled for
// each width that is worth it: of a vector wider than the machine's, g++ makes a comparison byte by byte.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ws::simd {

using Bytes16 [[gnu::vector_size(16)]] = std::uint8_t;  // every 64-bit machine has these
using Bytes32 [[gnu::vector_size(32)]] = std::uint8_t;  // AVX2

// memcpy: the compiler makes one unaligned load of it. By reference: how a vector is returned depends on the instruction set.
template <class Bytes>
[[gnu::always_inline]] inline void load(Bytes& bytes, const char* data) noexcept {
    std::memcpy(&bytes, data, sizeof bytes);
}

// A comparison's result is a vector of bytes that are all ones or all zeros; this is it in words.
template <class Vector>
struct Words {
    [[gnu::always_inline]] explicit Words(const Vector& vector) noexcept { std::memcpy(words, &vector, sizeof words); }

    [[gnu::always_inline]] bool any() const noexcept {
        std::uint64_t all = 0;
        for (const std::uint64_t word : words) { all |= word; }
        return all != 0;
    }

    // Where it is true first, given that it is.
    [[gnu::always_inline]] std::size_t first() const noexcept {
        std::size_t i = 0;
        while (words[i] == 0) { ++i; }
        const int zeros =
            std::endian::native == std::endian::little ? std::countr_zero(words[i]) : std::countl_zero(words[i]);
        return 8 * i + static_cast<std::size_t>(zeros) / 8;
    }

    std::uint64_t words[sizeof(Vector) / 8];
};

}  // namespace ws::simd
