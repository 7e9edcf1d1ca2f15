#include "nginx/redis_receiver.h"

#include <utility>

#include "nginx/redis_client.h"

namespace ws::nginx {

namespace {

constexpr ngx_msec_t check_interval = 5000;

}  // namespace

RedisReceiver::RedisReceiver(RedisClient& client, const RedisServer& server, ngx_log_t* log,
                             const RedisConnection::Receives& receives, const Words& words, Owner& owner)
    : client_(client),
      server_(server),
      log_(log),
      words_(words),
      owner_(owner),
      connection_(client, server, log, receives) {
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

RedisReceiver::~RedisReceiver() { shutdown(); }

void RedisReceiver::start_wanted() {
    if (!begun_) {
        connection_.want(client_.address());
        begun_ = true;
    }
    if (connection_.state() == RedisConnection::State::wanted) { connection_.start(); }
}

void RedisReceiver::up() {
    if (std::exchange(told_, false)) {
        ngx_log_error(NGX_LOG_NOTICE, log_, 0, "ws: redis %s %s", server_.name.c_str(), words_.back);
    }
    if (!check_.timer_set) { ngx_add_timer(&check_, check_interval); }
    owner_.receiver_up();
}

void RedisReceiver::log_off(const char* why) noexcept {
    if (std::exchange(told_, true)) { return; }
    ngx_log_error(NGX_LOG_WARN, log_, 0, "ws: redis %s %s (%s): %s", server_.name.c_str(), words_.off, why, words_.so);
}

void RedisReceiver::closed() {
    owner_.receiver_closed();
    if (!given_up_ && !retry_.timer_set) {
        ngx_add_timer(&retry_, backoff_.next(static_cast<std::uint32_t>(ngx_random())));
    }
}

void RedisReceiver::replace() {
    connection_.drop();
    closed();
}

void RedisReceiver::give_up() noexcept {
    given_up_ = true;
    if (retry_.timer_set) { ngx_del_timer(&retry_); }
}

void RedisReceiver::on_retry(ngx_event_t* event) noexcept {
    auto& self = *static_cast<RedisReceiver*>(static_cast<ngx_connection_t*>(event->data)->data);
    try {
        self.connection_.want(self.client_.address());
        self.client_.has_work();
    } catch (...) { ngx_add_timer(event, 1000); }
}

void RedisReceiver::on_check(ngx_event_t* event) noexcept {
    auto& self = *static_cast<RedisReceiver*>(static_cast<ngx_connection_t*>(event->data)->data);
    try {
        self.check();
    } catch (...) { ngx_log_error(NGX_LOG_ALERT, event->log, 0, "ws: out of memory"); }
    ngx_add_timer(event, check_interval);
}

void RedisReceiver::check() {
    if (connection_.state() == RedisConnection::State::ready) {
        backoff_.reset();  // it has lasted
        connection_.check();
    }
    owner_.receiver_checked();
}

void RedisReceiver::shutdown() noexcept {
    connection_.drop();
    for (ngx_event_t* event : {&retry_, &check_}) {
        if (event->timer_set) { ngx_del_timer(event); }
    }
}

}  // namespace ws::nginx
