// Bytes from the kernel's generator.
#pragma once

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>

namespace ws::nginx {

// Fetched many at a time. A process's own: after a fork, two would give the same.
class RandomBytes {
public:
    // Throws std::bad_alloc.
    template <std::size_t size>
    [[nodiscard]] std::array<unsigned char, size> take() {
        static_assert(size <= fetched);
        if (bytes_.size() - used_ < size) {
            if (getrandom(bytes_.data(), fetched, 0) != static_cast<ssize_t>(fetched)) { throw std::bad_alloc(); }
            used_ = 0;
        }
        std::array<unsigned char, size> taken;
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(used_), size, taken.begin());
        used_ += size;
        return taken;
    }

private:
    static constexpr std::size_t fetched = 256;  // so many never come in part

    std::array<unsigned char, fetched> bytes_;
    std::size_t used_ = fetched;
};

}  // namespace ws::nginx
