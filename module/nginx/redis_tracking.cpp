#include "nginx/redis_tracking.h"

#include <array>
#include <memory>

#include "nginx/redis_client.h"

namespace ws::nginx {

namespace {

constexpr ngx_msec_t check_interval = 5000;

}  // namespace

RedisTracking::RedisTracking(RedisClient& client, const RedisServer& server, ngx_log_t* log,
                             redis::Invalidations& listener)
    : client_(client), server_(server), log_(log), listener_(listener), receiver_(client, server, log, &listener) {
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

RedisTracking::~RedisTracking() { shutdown(); }

bool RedisTracking::settled() {
    if (state_ == State::off) {
        state_ = State::starting;
        start_receiver();
    }
    return state_ != State::starting;
}

void RedisTracking::start_receiver() {
    receiver_.want(client_.address());
    receiver_.start();
}

void RedisTracking::receiver_up() {
    state_ = State::on;
    backoff_.reset();
    bool untracked_reads = false;
    client_.for_each_ready([&](RedisConnection& reader) {
        reader.track(receiver_.id());
        untracked_reads = true;
    });
    listener_.tracked(true);
    if (untracked_reads) { listener_.missed(); }
    if (!check_.timer_set) { ngx_add_timer(&check_, check_interval); }
    client_.has_work();
}

void RedisTracking::receiver_closed() {
    if (state_ == State::refused) { return; }
    const bool was_on = state_ == State::on;
    state_ = State::lost;
    if (was_on) { listener_.tracked(false); }
    if (!retry_.timer_set) { ngx_add_timer(&retry_, backoff_.next(static_cast<std::uint32_t>(ngx_random()))); }
    client_.has_work();
}

void RedisTracking::on_retry(ngx_event_t* event) noexcept {
    auto& self = *static_cast<RedisTracking*>(static_cast<ngx_connection_t*>(event->data)->data);
    if (ngx_exiting) { return; }
    try {
        self.start_receiver();
    } catch (...) { ngx_add_timer(event, 1000); }
}

void RedisTracking::on_check(ngx_event_t* event) noexcept {
    auto& self = *static_cast<RedisTracking*>(static_cast<ngx_connection_t*>(event->data)->data);
    if (ngx_exiting) { return; }
    try {
        self.check();
    } catch (...) { ngx_log_error(NGX_LOG_ALERT, event->log, 0, "ws: out of memory"); }
    ngx_add_timer(event, check_interval);
}

void RedisTracking::check() {
    if (receiver_.state() == RedisConnection::State::ready) { receiver_.check(); }
    // A reader that doesn't answer fails by its own timeout.
    client_.for_each_ready([](RedisConnection& reader) {
        reader.push(std::array<std::string_view, 1>{"PING"}, std::make_shared<redis::Command>(nullptr));
    });
}

void RedisTracking::refused(const char* why) {
    if (state_ == State::refused) { return; }
    state_ = State::refused;
    ngx_log_error(NGX_LOG_WARN, log_, 0,
                  "ws: redis %s reports no changes (%s): sessions are read again every ws_auth_recheck",
                  server_.name.c_str(), why);
    listener_.tracked(false);
    client_.has_work();
}

void RedisTracking::before_start(RedisConnection& reader) {
    if (state_ == State::on) { reader.track(receiver_.id()); }
}

void RedisTracking::reader_up(RedisConnection& reader) {
    if (state_ == State::on) {
        if (reader.tracking_refused()) {
            refused("CLIENT TRACKING refused");
        } else if (reader.receiver() != receiver_.id()) {
            reader.track(receiver_.id());
        }
    }
    if (std::exchange(reads_lost_, false)) { listener_.missed(); }
}

void RedisTracking::reader_closed(bool server_down) {
    reads_lost_ = server_down;
    listener_.missed();
}

void RedisTracking::shutdown() noexcept {
    receiver_.drop();
    for (ngx_event_t* event : {&retry_, &check_}) {
        if (event->timer_set) { ngx_del_timer(event); }
    }
}

}  // namespace ws::nginx
