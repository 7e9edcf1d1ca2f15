#include "auth/session_reply.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "context/session_hash.h"
#include "redis/reply.h"

namespace ws::auth {

namespace {

// HMGET KEY NAME ...: a value for each name. Nothing if it isn't that.
std::optional<redis::Pairs> named_values(const redisReply& reply, std::span<const std::string> command) {
    const std::span<const std::string> names = command.subspan(std::min<std::size_t>(command.size(), 2));
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements != names.size()) { return std::nullopt; }
    redis::Pairs fields;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const redisReply& element = *reply.element[i];
        if (redis::is_nil(element)) { continue; }
        const auto value = redis::string_value(element);
        if (!value) { return std::nullopt; }
        fields.emplace_back(names[i], *value);
    }
    return fields;
}

Verdict judge_reply(const redisReply& reply, std::span<const std::string> command, std::string& made) {
    if (redis::is_nil(reply)) { return refused(WS_AUTH_DENIED, "no such session"); }
    // LOADING, NOAUTH and the like: the code says what is wrong without quoting the key.
    if (redis::is_error(reply)) {
        const std::string_view code = redis::error_code(reply);
        return refused(code == "WRONGTYPE" || code == "TOOLARGE" ? WS_AUTH_INVALID : WS_AUTH_UNAVAILABLE, code);
    }
    if (const auto text = redis::string_value(reply)) { return allowed(*text); }
    const bool is_named = !command.empty() && command[0] == "HMGET";
    const auto fields = is_named ? named_values(reply, command) : redis::pairs(reply);
    if (!fields) { return refused(WS_AUTH_INVALID, "reply is neither a string nor names and values"); }
    if (fields->empty()) { return refused(WS_AUTH_DENIED, "no such session"); }
    auto object = context::object_of_strings(*fields);
    if (!object) { return refused(WS_AUTH_INVALID, "fields are not UTF-8"); }
    made = *std::move(object);
    return allowed(made);
}

}  // namespace

Verdict judge(const redis::Outcome& outcome, std::span<const std::string> command, std::string& made) {
    switch (outcome.status) {
        case redis::Outcome::Status::reply: return judge_reply(*outcome.reply, command, made);
        case redis::Outcome::Status::timeout: return refused(WS_AUTH_UNAVAILABLE, "no reply in time");
        case redis::Outcome::Status::unavailable: break;
    }
    return refused(WS_AUTH_UNAVAILABLE, "no connection");
}

}  // namespace ws::auth
