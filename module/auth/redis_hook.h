// `ws_auth redis`: the session is what one Redis command answers.
#pragma once

#include "auth/hook.h"
#include "redis/store.h"

namespace ws::auth {

class RedisHook final : public Hook {
public:
    // `store` outlives the hook and its lookups. A session larger than `max_session` bytes is invalid.
    RedisHook(redis::Store& store, std::size_t max_session) noexcept : store_(store), max_session_(max_session) {}

    // A string reply is a session's JSON text, an array is the fields of a hash (HGETALL); nil and an empty hash are
    // no session.
    [[nodiscard]] std::unique_ptr<Lookup> start(std::span<const std::string_view> question, Done done) override;

private:
    redis::Store& store_;
    std::size_t max_session_;
};

}  // namespace ws::auth
