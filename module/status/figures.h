// What is counted. A worker counts in its own `Counters`, which others read; `Totals` is the sum over all workers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "status/counter.h"

namespace ws::status {

// Labels, each in the order of its enum. All have few values, whatever clients and backends do.
enum class Delivery : std::uint8_t { headers, envelope, http, multiplex };
inline constexpr std::array<std::string_view, 4> deliveries{"headers", "envelope", "http", "multiplex"};

enum class Direction : std::uint8_t { in, out };  // from clients, to clients
inline constexpr std::array<std::string_view, 2> directions{"in", "out"};

enum class ClosedBy : std::uint8_t { client, backend, gateway };
inline constexpr std::array<std::string_view, 3> closers{"client", "backend", "gateway"};

enum class AuthResult : std::uint8_t {
    allowed,
    anonymous,
    unchecked,
    no_token,
    denied,
    unavailable,
    invalid,
    origin,
    malformed
};
inline constexpr std::array<std::string_view, 9> auth_results{
    "allowed", "anonymous", "unchecked", "no_token", "denied", "unavailable", "invalid", "origin", "malformed"};

// Requests of http delivery: the event that each is made for, and what has become of it.
enum class HttpEvent : std::uint8_t { open, message, close };
inline constexpr std::array<std::string_view, 3> http_events{"open", "message", "close"};

enum class HttpResult : std::uint8_t {
    answered,  // 2xx, all of it
    refused,   // another status
    failed,    // no answer: none could be had from a backend, or it broke off
    cancelled  // by the gateway: the connection, or the time for its end, was over
};
inline constexpr std::array<std::string_view, 4> http_results{"answered", "refused", "failed", "cancelled"};

// Close codes: the registered ones and the gateway's own by themselves, the rest by their range.
inline constexpr std::array<std::string_view, 20> close_codes{"1000", "1001", "1002", "1003", "1004", "1005", "1006",
                                                              "1007", "1008", "1009", "1010", "1011", "1012", "1013",
                                                              "1014", "1015", "4401", "4409", "3xxx", "4xxx"};
[[nodiscard]] constexpr std::size_t close_code_index(std::uint16_t code) noexcept {
    if (code == 4401) { return 16; }
    if (code == 4409) { return 17; }
    if (code >= 3000 && code < 4000) { return 18; }
    if (code >= 4000 && code < 5000) { return 19; }
    return code >= 1000 && code <= 1015 ? code - 1000U : 6;  // no other can stand in a close frame
}

// Upper bounds of the histogram's buckets in microseconds; one more bucket has what is longer.
inline constexpr std::array<std::uint32_t, 12> auth_bounds_us{250,   500,   1000,   2500,   5000,   10000,
                                                              25000, 50000, 100000, 250000, 500000, 1000000};

template <class Count>
struct Histogram {
    std::array<Count, auth_bounds_us.size() + 1> buckets{};  // each by itself, not cumulative
    Count sum_us{};
};

// Redis servers told apart by name; the last place is for all that come when the others are taken.
inline constexpr std::size_t max_servers = 16;

enum class RedisState : std::uint8_t { unknown, up, down };

template <class Count, class Level>
struct RedisFigures {
    Level state{};    // RedisState, of one worker
    Count lookups{};  // questions of requests
    Count cached{};   // of them: answered by what was known
    Count reads{};    // commands sent to read sessions
    Count outages{};
    Count connects{};  // connections that became ready
};

using RedisCounters = RedisFigures<Counter, Gauge>;

template <class Count, class Level>
struct Figures {
    // What is added to with every event of a connection.
    std::array<Count, directions.size()> messages{};
    std::array<Count, directions.size()> bytes{};

    std::array<std::array<Count, http_results.size()>, http_events.size()> http_requests{};
    Level http_in_flight{};

    std::array<Level, deliveries.size()> open{};
    std::array<Count, deliveries.size()> opened{};
    std::array<std::array<Count, closers.size()>, close_codes.size()> closes{};
    std::array<Count, auth_results.size()> auth{};
    Histogram<Count> auth_duration{};
    Count revocations{};      // connections closed because their session has ended
    Count context_changes{};  // of open connections
    Count pings{};
    Count pongs_missed{};
    Count commands_dropped{};  // messages and replies of backends that were no valid command
    std::array<RedisFigures<Count, Level>, max_servers> redis{};
};

struct Counters : Figures<Counter, Gauge> {
    void add_auth(AuthResult result) noexcept { auth[static_cast<std::size_t>(result)].add(); }
    void add_auth_duration(std::uint64_t us) noexcept;
    void add_http_request(HttpEvent event, HttpResult result) noexcept {
        http_requests[static_cast<std::size_t>(event)][static_cast<std::size_t>(result)].add();
    }

    // Of a worker that is gone.
    void clear_gauges() noexcept;
    [[nodiscard]] std::uint64_t open_connections() const noexcept;
};

struct Totals : Figures<std::uint64_t, std::int64_t> {
    struct Workers {
        std::uint64_t up = 0;
        std::uint64_t down = 0;
    };

    void add(const Counters& counters);

    std::uint64_t workers = 0;           // that run
    std::uint64_t workers_lost = 0;      // ended without leaving
    std::uint64_t connections_lost = 0;  // ended with their worker
    std::array<std::string, max_servers> servers;
    std::array<Workers, max_servers> redis_workers{};  // by what they find
};

}  // namespace ws::status
