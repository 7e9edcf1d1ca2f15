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
        receiver_.want(client_.address());
    }
    if (receiver_.state() == RedisConnection::State::wanted) { receiver_.start(); }
    return state_ != State::starting;
}

void RedisTracking::receiver_up() {
    state_ = State::on;
    if (std::exchange(told_, false)) {
        ngx_log_error(NGX_LOG_NOTICE, log_, 0, "ws: redis %s reports changes again", server_.name.c_str());
    }
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

// One that fails again, while the server serves its readers, may never come back.
void RedisTracking::receiver_failed(const char* why) noexcept {
    bool served = false;
    client_.for_each_ready([&served](const RedisConnection&) { served = true; });
    if (state_ == State::lost && served) { tell_off(why); }
}

void RedisTracking::tell_off(const char* why) noexcept {
    if (std::exchange(told_, true)) { return; }
    ngx_log_error(NGX_LOG_WARN, log_, 0,
                  "ws: redis %s reports no changes (%s): sessions are read again every ws_auth_recheck",
                  server_.name.c_str(), why);
}

void RedisTracking::receiver_closed() {
    if (state_ == State::refused) { return; }
    const bool was_lost = state_ == State::lost;
    state_ = State::lost;
    if (!was_lost) { listener_.tracked(false); }
    if (!retry_.timer_set) { ngx_add_timer(&retry_, backoff_.next(static_cast<std::uint32_t>(ngx_random()))); }
    client_.has_work();
}

void RedisTracking::start_again() {
    if (state_ != State::on) { return; }
    receiver_.drop();
    receiver_closed();
}

void RedisTracking::on_retry(ngx_event_t* event) noexcept {
    auto& self = *static_cast<RedisTracking*>(static_cast<ngx_connection_t*>(event->data)->data);
    try {
        self.receiver_.want(self.client_.address());
        self.client_.has_work();
    } catch (...) { ngx_add_timer(event, 1000); }
}

void RedisTracking::on_check(ngx_event_t* event) noexcept {
    auto& self = *static_cast<RedisTracking*>(static_cast<ngx_connection_t*>(event->data)->data);
    try {
        self.check();
    } catch (...) { ngx_log_error(NGX_LOG_ALERT, event->log, 0, "ws: out of memory"); }
    ngx_add_timer(event, check_interval);
}

void RedisTracking::check() {
    if (receiver_.state() == RedisConnection::State::ready) {
        backoff_.reset();  // it has lasted
        receiver_.check();
    }
    // A reader that doesn't answer fails by its own timeout.
    client_.for_each_ready([](RedisConnection& reader) {
        reader.push(std::array<std::string_view, 1>{"PING"}, std::make_shared<redis::Command>(nullptr));
    });
}

void RedisTracking::refused(const char* why) {
    if (state_ == State::refused) { return; }
    state_ = State::refused;
    tell_off(why);
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
        } else if (reader.address() != receiver_.address()) {
            start_again();  // another server has other clients
        } else if (reader.receiver() != receiver_.id()) {
            // What waited for its login is read already, and not tracked.
            reader.track(receiver_.id());
            listener_.missed();
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
