#include "auth/redis_hook.h"

#include <utility>

#include "redis/reply.h"

namespace ws::auth {

namespace {

using Status = Verdict::Status;

class RedisLookup final : public Lookup {
public:
    std::unique_ptr<redis::Pending> command;
};

std::size_t size_of(const context::SessionHash& hash) noexcept {
    std::size_t size = 0;
    for (const auto& [field, value] : hash) { size += field.size() + value.size(); }
    return size;
}

Verdict judge_reply(const redisReply& reply, std::size_t max_session) {
    if (redis::is_nil(reply)) { return {Status::denied, {}, "no such session"}; }
    if (redis::error_code(reply) == "TOOLARGE") { return {Status::invalid, {}, "session too large"}; }
    // WRONGTYPE, NOAUTH and the like: the code says what is wrong without quoting the key.
    if (redis::is_error(reply)) { return {Status::unavailable, {}, redis::error_code(reply)}; }
    if (const auto text = redis::string_value(reply)) {
        if (text->size() > max_session) { return {Status::invalid, {}, "session too large"}; }
        return {Status::allowed, *text, {}};
    }
    if (auto fields = redis::pairs(reply)) {
        if (fields->empty()) { return {Status::denied, {}, "no such session"}; }
        if (size_of(*fields) > max_session) { return {Status::invalid, {}, "session too large"}; }
        return {Status::allowed, std::move(*fields), {}};
    }
    return {Status::invalid, {}, "reply is neither a string nor a hash"};
}

Verdict judge(const redis::Outcome& outcome, std::size_t max_session) {
    switch (outcome.status) {
        case redis::Outcome::Status::reply: return judge_reply(*outcome.reply, max_session);
        case redis::Outcome::Status::timeout: return {Status::unavailable, {}, "no reply in time"};
        case redis::Outcome::Status::unavailable: break;
    }
    return {Status::unavailable, {}, "no connection"};
}

}  // namespace

std::unique_ptr<Lookup> RedisHook::start(std::span<const std::string_view> question, Done done) {
    auto lookup = std::make_unique<RedisLookup>();
    lookup->command = store_.send(
        question, [done = std::move(done), max_session = max_session_](const redis::Outcome& outcome) {
            done(judge(outcome, max_session));
        });
    return lookup;
}

}  // namespace ws::auth
