#include "redis/reply.h"

namespace ws::redis {

std::optional<std::string_view> string_value(const redisReply& reply) noexcept {
    if (reply.type != REDIS_REPLY_STRING) { return std::nullopt; }
    return std::string_view{reply.str, reply.len};
}

std::string_view error_text(const redisReply& reply) noexcept {
    return is_error(reply) ? std::string_view{reply.str, reply.len} : std::string_view{};
}

std::string_view error_code(const redisReply& reply) noexcept {
    const std::string_view text = error_text(reply);
    const std::string_view word = text.substr(0, text.find(' '));
    const bool capitals = word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
    return capitals ? word : std::string_view{};
}

std::optional<Pairs> pairs(const redisReply& reply) {
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements % 2 != 0) { return std::nullopt; }
    Pairs fields;
    fields.reserve(reply.elements / 2);
    for (std::size_t i = 0; i < reply.elements; i += 2) {
        const auto name = string_value(*reply.element[i]);
        const auto value = string_value(*reply.element[i + 1]);
        if (!name || !value) { return std::nullopt; }
        fields.emplace_back(*name, *value);
    }
    return fields;
}

}  // namespace ws::redis
