// A number in memory that all workers share. One process writes it, the others read: an addition is a load and a store, no
// locked instruction, and no cache line of somebody else's.
#pragma once

#include <atomic>
#include <cstdint>

namespace ws::status {

// Only goes up.
class Counter {
public:
    void add(std::uint64_t n = 1) noexcept { value_.store(value() + n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
    std::atomic<std::uint64_t> value_{0};
};

// What there is now.
class Gauge {
public:
    void add(std::int64_t n) noexcept { set(value() + n); }
    void set(std::int64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

}  // namespace ws::status
