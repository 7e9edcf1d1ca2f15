// Bytes from the kernel's generator.
#pragma once

#include <sys/random.h>

#include <array>
#include <cstddef>
#include <new>

namespace ws::nginx {

// Throws std::bad_alloc. At most 256 bytes: so many never come in part.
template <std::size_t size>
[[nodiscard]] std::array<unsigned char, size> random_bytes() {
    static_assert(size <= 256);
    std::array<unsigned char, size> bytes;
    if (getrandom(bytes.data(), size, 0) != static_cast<ssize_t>(size)) { throw std::bad_alloc(); }
    return bytes;
}

}  // namespace ws::nginx
