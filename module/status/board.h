// The counters of all workers, in memory that they share: each has a slot of its own.
//
// A slot is held by a robust mutex, which the kernel gives back when its process ends, however it ends; so everybody can tell
// whether a slot's worker is there, and what a killed worker had open is not taken for open any more. Counters stay in the slot when its worker
// has left, and the next one counts on: a sum over all slots never goes down.
//
// Made of zeroed memory; nothing in it depends on where it is mapped.
#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "status/figures.h"

namespace ws::status {

// Goes up with every change of what is in the memory.
inline constexpr int layout_version = 2;

class Board final {
public:
    static constexpr std::size_t max_workers = 1024;  // at the same time, draining ones included

    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    // In `memory` of sizeof(Board) zero bytes; null if the system has no such mutexes. Once, before any worker is there.
    [[nodiscard]] static Board* create(void* memory) noexcept;

    // This process's slot, until leave() or its end; null when all are taken.
    [[nodiscard]] Counters* join() noexcept;
    // From the thread that has joined. What is open then has ended with its worker.
    void leave(Counters& counters) noexcept;

    // The number of the Redis server with this name (`Figures::redis`). Not at the same time as another call of it.
    [[nodiscard]] std::size_t server(std::string_view name) noexcept;

    // The sum. Throws std::bad_alloc.
    [[nodiscard]] Totals read();

private:
    struct alignas(64) Slot {
        Counters counters;
    };
    using Name = std::array<char, 108>;  // as long as the path of a unix socket

    Board() = default;

    [[nodiscard]] bool take(std::size_t place) noexcept;
    [[nodiscard]] bool held(std::size_t place) noexcept;
    void bury(std::size_t place) noexcept;
    void end_open(Counters& counters) noexcept;

    std::array<pthread_mutex_t, max_workers> owners_;
    std::atomic<std::size_t> used_{0};  // slots that have ever had a worker
    std::atomic<std::uint64_t> workers_lost_{0};
    std::atomic<std::uint64_t> connections_lost_{0};
    std::array<Name, max_servers> names_;
    std::atomic<std::size_t> servers_{0};
    std::array<Slot, max_workers> slots_;  // untouched, and so without memory, until used
};

}  // namespace ws::status
