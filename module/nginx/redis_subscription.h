// Keeps a client subscribed to channels, over a connection of its own.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_receiver.h"
#include "redis/subscription.h"

namespace ws::nginx {

class RedisSubscription final : private RedisReceiver::Owner {
public:
    // All arguments outlive the object. Opens nothing yet.
    RedisSubscription(RedisClient& client, const RedisServer& server, ngx_log_t* log,
                      const redis::Subscription& subscription);
    RedisSubscription(const RedisSubscription&) = delete;
    RedisSubscription& operator=(const RedisSubscription&) = delete;

    [[nodiscard]] RedisReceiver& receiver() noexcept { return receiver_; }

private:
    void receiver_up() override;
    void receiver_failed(const char* why) noexcept override { receiver_.log_off(why); }
    void receiver_closed() override;

    const redis::Subscription& subscription_;
    RedisReceiver receiver_;
    bool on_ = false;
};

}  // namespace ws::nginx
