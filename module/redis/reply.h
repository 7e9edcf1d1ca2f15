// What callers do with a reply: own it, and read it as the type they expect.
#pragma once

#include <hiredis/hiredis.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace ws::redis {

struct FreeReply {
    void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

[[nodiscard]] inline bool is_nil(const redisReply& reply) noexcept { return reply.type == REDIS_REPLY_NIL; }

[[nodiscard]] inline bool is_error(const redisReply& reply) noexcept { return reply.type == REDIS_REPLY_ERROR; }

// The value of a bulk string; nothing for any other type. Views live as long as the reply.
[[nodiscard]] std::optional<std::string_view> string_value(const redisReply& reply) noexcept;

// The value of an integer; nothing for any other type.
[[nodiscard]] inline std::optional<long long> integer_value(const redisReply& reply) noexcept {
    return reply.type == REDIS_REPLY_INTEGER ? std::optional<long long>(reply.integer) : std::nullopt;
}

// The whole text of an error reply; empty for any other type. It may quote arguments of the command, so it may hold secrets.
[[nodiscard]] std::string_view error_text(const redisReply& reply) noexcept;

// The first word of an error reply ("WRONGTYPE", "NOAUTH", "ERR"), safe to log; empty when the reply is none or the word is not capital letters.
[[nodiscard]] std::string_view error_code(const redisReply& reply) noexcept;

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

// The fields of a hash (HGETALL), empty for a key that doesn't exist; nothing unless the reply is an array of an even number of strings.
[[nodiscard]] std::optional<Pairs> pairs(const redisReply& reply);

}  // namespace ws::redis
