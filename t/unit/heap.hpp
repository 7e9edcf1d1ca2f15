// For programs that look at the heap: counts what operator new gives out, and has none when told so. Include it in one file of the
// program.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace heap {

inline std::size_t held = 0;
inline std::size_t most_held = 0;
inline std::size_t times_taken = 0;
inline std::size_t fails_at = 0;  // the how manieth request from now on fails; 0: none

inline void* take(std::size_t n) noexcept {
    if (fails_at != 0 && --fails_at == 0) { return nullptr; }
    void* const memory = std::malloc(n);
    if (memory != nullptr) {
        ++times_taken;
        held += malloc_usable_size(memory);
        most_held = std::max(most_held, held);
    }
    return memory;
}

// What is held beyond what was when this was made: now, and at most since then; and how often memory was taken since.
struct Since {
    std::size_t before = held;
    std::size_t times_before = times_taken;

    Since() { most_held = held; }
    [[nodiscard]] std::size_t times() const { return times_taken - times_before; }
    [[nodiscard]] std::size_t now() const { return held - before; }
    [[nodiscard]] std::size_t most() const { return most_held - before; }
};

// Where it is there, requests succeed and don't count: what is not under test.
class Apart {
public:
    Apart() : fails_at_(fails_at) { fails_at = 0; }
    Apart(const Apart&) = delete;
    Apart& operator=(const Apart&) = delete;
    ~Apart() { fails_at = fails_at_; }

private:
    std::size_t fails_at_;
};

}  // namespace heap

void* operator new(std::size_t n) {
    void* const memory = heap::take(n);
    if (memory == nullptr) { throw std::bad_alloc(); }
    return memory;
}

void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return heap::take(n); }

void operator delete(void* memory) noexcept {
    if (memory != nullptr) {
        heap::held -= malloc_usable_size(memory);
        std::free(memory);
    }
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
