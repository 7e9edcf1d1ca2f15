#include "nginx/redis_subscription.h"

#include <utility>

#include "nginx/redis_client.h"

namespace ws::nginx {

namespace {

constexpr ngx_msec_t check_interval = 5000;

}  // namespace

RedisSubscription::RedisSubscription(RedisClient& client, const RedisServer& server, ngx_log_t* log,
                                     const redis::Subscription& subscription)
    : client_(client),
      server_(server),
      log_(log),
      subscription_(subscription),
      receiver_(client, server, log, subscription) {
    no_socket_.fd = static_cast<ngx_socket_t>(-1);
    no_socket_.data = this;
    for (ngx_event_t* event : {&retry_, &check_}) {
        event->data = &no_socket_;
        event->log = log;
        event->cancelable = 1;
    }
    retry_.handler = on_retry;
    check_.handler = on_check;
}

RedisSubscription::~RedisSubscription() { shutdown(); }

void RedisSubscription::want() {
    receiver_.want(client_.address());
    client_.has_work();
}

void RedisSubscription::start_wanted() {
    if (!std::exchange(wanted_, true)) { receiver_.want(client_.address()); }
    if (receiver_.state() == RedisConnection::State::wanted) { receiver_.start(); }
}

void RedisSubscription::receiver_up() {
    on_ = true;
    if (std::exchange(told_, false)) {
        ngx_log_error(NGX_LOG_NOTICE, log_, 0, "ws: redis %s brings messages again", server_.name.c_str());
    }
    if (!check_.timer_set) { ngx_add_timer(&check_, check_interval); }
    subscription_.subscriber->subscribed(true);
}

void RedisSubscription::receiver_failed(const char* why) noexcept {
    if (std::exchange(told_, true)) { return; }
    ngx_log_error(NGX_LOG_WARN, log_, 0, "ws: redis %s brings no messages (%s): ws_control doesn't reach this worker",
                  server_.name.c_str(), why);
}

void RedisSubscription::receiver_closed() {
    if (std::exchange(on_, false)) { subscription_.subscriber->subscribed(false); }
    if (!retry_.timer_set) { ngx_add_timer(&retry_, backoff_.next(static_cast<std::uint32_t>(ngx_random()))); }
}

void RedisSubscription::on_retry(ngx_event_t* event) noexcept {
    auto& self = *static_cast<RedisSubscription*>(static_cast<ngx_connection_t*>(event->data)->data);
    try {
        self.want();
    } catch (...) { ngx_add_timer(event, 1000); }
}

// A connection can be lost without a sign, so it is asked for one from time to time.
void RedisSubscription::on_check(ngx_event_t* event) noexcept {
    auto& self = *static_cast<RedisSubscription*>(static_cast<ngx_connection_t*>(event->data)->data);
    if (self.receiver_.state() == RedisConnection::State::ready) {
        self.backoff_.reset();  // it has lasted
        self.receiver_.check();
    }
    ngx_add_timer(event, check_interval);
}

void RedisSubscription::shutdown() noexcept {
    receiver_.drop();
    for (ngx_event_t* event : {&retry_, &check_}) {
        if (event->timer_set) { ngx_del_timer(event); }
    }
}

}  // namespace ws::nginx
