#include "nginx/redis_subscription.h"

#include <utility>

namespace ws::nginx {

namespace {

constexpr RedisReceiver::Words words{"brings no messages", "ws_control doesn't reach this worker",
                                     "brings messages again"};

}  // namespace

RedisSubscription::RedisSubscription(RedisClient& client, const RedisServer& server, ngx_log_t* log,
                                     const redis::Subscription& subscription)
    : subscription_(subscription), receiver_(client, server, log, {.subscription = &subscription}, words, *this) {}

void RedisSubscription::receiver_up() {
    on_ = true;
    subscription_.subscriber->subscribed(true);
}

void RedisSubscription::receiver_closed() {
    if (std::exchange(on_, false)) { subscription_.subscriber->subscribed(false); }
}

}  // namespace ws::nginx
