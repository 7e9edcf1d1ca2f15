#include "status/board.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace ws::status {

Board* Board::create(void* memory) noexcept {
    // Constructing it would write to each slot; all of it is right when it is zero.
    auto* board = std::launder(static_cast<Board*>(memory));
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0) { return nullptr; }
    bool good = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
                pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0;
    for (pthread_mutex_t& owner : board->owners_) { good = good && pthread_mutex_init(&owner, &attributes) == 0; }
    pthread_mutexattr_destroy(&attributes);
    return good ? board : nullptr;
}

Counters* Board::join() noexcept {
    for (std::size_t place = 0; place < max_workers; ++place) {
        if (!take(place)) { continue; }
        std::size_t used = used_.load();
        while (used <= place && !used_.compare_exchange_weak(used, place + 1)) {}
        return &slots_[place].counters;
    }
    return nullptr;
}

void Board::leave(Counters& counters) noexcept {
    for (std::size_t place = 0; place < used_.load(); ++place) {
        if (&slots_[place].counters != &counters) { continue; }
        end_open(counters);
        pthread_mutex_unlock(&owners_[place]);
    }
}

bool Board::take(std::size_t place) noexcept {
    switch (pthread_mutex_trylock(&owners_[place])) {
        case 0: return true;
        case EOWNERDEAD: bury(place); return true;
        default: return false;
    }
}

// Is there a worker?
bool Board::held(std::size_t place) noexcept {
    if (!take(place)) { return true; }
    pthread_mutex_unlock(&owners_[place]);
    return false;
}

// Its worker has ended without leaving; the slot is the caller's now.
void Board::bury(std::size_t place) noexcept {
    end_open(slots_[place].counters);
    workers_lost_.fetch_add(1);
    pthread_mutex_consistent(&owners_[place]);
}

void Board::end_open(Counters& counters) noexcept {
    connections_lost_.fetch_add(counters.open_connections());
    counters.clear_gauges();
}

std::size_t Board::server(std::string_view name) noexcept {
    const std::string_view known = name.substr(0, std::tuple_size_v<Name> - 1);
    const std::size_t count = servers_.load();
    for (std::size_t i = 0; i < count; ++i) {
        if (known == names_[i].data()) { return i; }
    }
    const std::size_t place = std::min(count, max_servers - 1);
    if (count < max_servers) {
        const std::string_view shown = place + 1 < max_servers ? known : "other";
        std::memcpy(names_[place].data(), shown.data(), shown.size());
        servers_.store(count + 1);
    }
    return place;
}

Totals Board::read() {
    Totals totals;
    const std::size_t used = used_.load();
    for (std::size_t place = 0; place < used; ++place) {
        if (held(place)) { ++totals.workers; }
        totals.add(slots_[place].counters);
    }
    totals.workers_lost = workers_lost_.load();
    totals.connections_lost = connections_lost_.load();
    for (std::size_t i = 0; i < servers_.load(); ++i) { totals.servers[i] = names_[i].data(); }
    return totals;
}

}  // namespace ws::status
