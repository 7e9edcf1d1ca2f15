#include "auth/session_reply.h"

#include <utility>

#include "context/session_hash.h"
#include "redis/reply.h"

namespace ws::auth {

namespace {

Verdict judge_reply(const redisReply& reply, std::string& made) {
    if (redis::is_nil(reply)) { return refused(WS_AUTH_DENIED, "no such session"); }
    // LOADING, NOAUTH and the like: the code says what is wrong without quoting the key.
    if (redis::is_error(reply)) {
        const std::string_view code = redis::error_code(reply);
        return refused(code == "WRONGTYPE" || code == "TOOLARGE" ? WS_AUTH_INVALID : WS_AUTH_UNAVAILABLE, code);
    }
    if (const auto text = redis::string_value(reply)) { return allowed(*text); }
    const auto fields = redis::pairs(reply);
    if (!fields) { return refused(WS_AUTH_INVALID, "reply is neither a string nor a hash"); }
    if (fields->empty()) { return refused(WS_AUTH_DENIED, "no such session"); }
    auto object = context::object_of_strings(*fields);
    if (!object) { return refused(WS_AUTH_INVALID, "hash is not UTF-8"); }
    made = *std::move(object);
    return allowed(made);
}

}  // namespace

Verdict judge(const redis::Outcome& outcome, std::string& made) {
    switch (outcome.status) {
        case redis::Outcome::Status::reply: return judge_reply(*outcome.reply, made);
        case redis::Outcome::Status::timeout: return refused(WS_AUTH_UNAVAILABLE, "no reply in time");
        case redis::Outcome::Status::unavailable: break;
    }
    return refused(WS_AUTH_UNAVAILABLE, "no connection");
}

}  // namespace ws::auth
