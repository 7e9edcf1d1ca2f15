#include "auth/session_reply.h"

#include <utility>

#include "redis/reply.h"

namespace ws::auth {

namespace {

using Status = Verdict::Status;

Verdict judge_reply(const redisReply& reply) {
    if (redis::is_nil(reply)) { return {Status::denied, {}, "no such session"}; }
    // LOADING, NOAUTH and the like: the code says what is wrong without quoting the key.
    if (redis::is_error(reply)) {
        const std::string_view code = redis::error_code(reply);
        return {code == "WRONGTYPE" || code == "TOOLARGE" ? Status::invalid : Status::unavailable, {}, code};
    }
    if (const auto text = redis::string_value(reply)) { return {Status::allowed, *text, {}}; }
    if (auto fields = redis::pairs(reply)) {
        if (fields->empty()) { return {Status::denied, {}, "no such session"}; }
        return {Status::allowed, std::move(*fields), {}};
    }
    return {Status::invalid, {}, "reply is neither a string nor a hash"};
}

}  // namespace

Verdict judge(const redis::Outcome& outcome) {
    switch (outcome.status) {
        case redis::Outcome::Status::reply: return judge_reply(*outcome.reply);
        case redis::Outcome::Status::timeout: return {Status::unavailable, {}, "no reply in time"};
        case redis::Outcome::Status::unavailable: break;
    }
    return {Status::unavailable, {}, "no connection"};
}

}  // namespace ws::auth
