#include "status/figures.h"

namespace ws::status {

namespace {

template <std::size_t n>
void sum(std::array<std::uint64_t, n>& into, const std::array<Counter, n>& from) {
    for (std::size_t i = 0; i < n; ++i) { into[i] += from[i].value(); }
}

}  // namespace

void Counters::add_auth_duration(std::uint64_t us) noexcept {
    std::size_t bucket = 0;
    while (bucket < auth_bounds_us.size() && us > auth_bounds_us[bucket]) { ++bucket; }
    auth_duration.buckets[bucket].add();
    auth_duration.sum_us.add(us);
}

void Counters::clear_gauges() noexcept {
    for (Gauge& gauge : open) { gauge.set(0); }
    http_in_flight.set(0);
    for (auto& server : redis) { server.state.set(0); }
}

std::uint64_t Counters::open_connections() const noexcept {
    std::uint64_t count = 0;
    for (const Gauge& gauge : open) { count += static_cast<std::uint64_t>(gauge.value()); }
    return count;
}

void Totals::add(const Counters& counters) {
    sum(messages, counters.messages);
    sum(bytes, counters.bytes);
    for (std::size_t i = 0; i < http_requests.size(); ++i) { sum(http_requests[i], counters.http_requests[i]); }
    http_in_flight += counters.http_in_flight.value();
    for (std::size_t i = 0; i < open.size(); ++i) { open[i] += counters.open[i].value(); }
    sum(opened, counters.opened);
    for (std::size_t i = 0; i < closes.size(); ++i) { sum(closes[i], counters.closes[i]); }
    sum(auth, counters.auth);
    sum(auth_duration.buckets, counters.auth_duration.buckets);
    auth_duration.sum_us += counters.auth_duration.sum_us.value();
    revocations += counters.revocations.value();
    context_changes += counters.context_changes.value();
    pings += counters.pings.value();
    pongs_missed += counters.pongs_missed.value();
    commands_dropped += counters.commands_dropped.value();
    for (std::size_t i = 0; i < redis.size(); ++i) {
        const auto& from = counters.redis[i];
        const auto state = static_cast<RedisState>(from.state.value());
        if (state == RedisState::up) { ++redis_workers[i].up; }
        if (state == RedisState::down) { ++redis_workers[i].down; }
        redis[i].lookups += from.lookups.value();
        redis[i].cached += from.cached.value();
        redis[i].reads += from.reads.value();
        redis[i].outages += from.outages.value();
        redis[i].connects += from.connects.value();
    }
}

}  // namespace ws::status
