#include "redis/command_keys.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace ws::redis {

namespace {

constexpr auto scripts =
    std::to_array<std::string_view>({"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"});

constexpr auto readers = std::to_array<std::string_view>({"GET", "GETRANGE", "HGET", "HGETALL", "HMGET"});

constexpr auto unfit = std::to_array<std::string_view>(
    {// They change the connection.
     "ASKING", "AUTH", "CLIENT", "DISCARD", "EXEC", "HELLO", "MONITOR", "MULTI", "PSUBSCRIBE", "PSYNC", "PUNSUBSCRIBE",
     "QUIT", "READONLY", "READWRITE", "RESET", "SELECT", "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "SYNC",
     "UNSUBSCRIBE", "UNWATCH", "WATCH",
     // They keep all others waiting.
     "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "SHUTDOWN", "WAIT",
     // They write; a lookup is repeated as often as the session changes.
     "DEL", "EXPIRE", "FLUSHALL", "FLUSHDB", "GETDEL", "GETEX", "GETSET", "HDEL", "HSET", "SET", "UNLINK"});

template <std::size_t size>
bool is_one_of(std::string_view verb, const std::array<std::string_view, size>& upper) noexcept {
    const auto capital = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
    return std::ranges::any_of(upper, [&](std::string_view own) { return std::ranges::equal(verb, own, {}, capital); });
}

}  // namespace

std::span<const std::string_view> command_keys(std::span<const std::string_view> argv) noexcept {
    if (argv.size() < 2) { return {}; }
    if (!is_script(argv[0])) { return argv.subspan(1, 1); }
    if (argv.size() < 3) { return {}; }
    std::size_t number = 0;
    std::from_chars(argv[2].data(), argv[2].data() + argv[2].size(), number);
    return argv.subspan(3, std::min(number, argv.size() - 3));
}

bool reads_its_keys_only(std::span<const std::string_view> argv) noexcept {
    return !argv.empty() && is_one_of(argv[0], readers);
}

bool may_look_up(std::string_view verb) noexcept { return !is_one_of(verb, unfit); }

bool is_script(std::string_view verb) noexcept { return is_one_of(verb, scripts); }

}  // namespace ws::redis
