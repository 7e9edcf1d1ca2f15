#include "nginx/redis_sessions.h"

namespace ws::nginx {

RedisSessions::RedisSessions(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log)
    : server_(server),
      counters_(counters),
      log_(log),
      store_(make_redis_store(server, counters, log)),
      sessions_(*store_, *this, options()) {
    no_socket_.fd = static_cast<ngx_socket_t>(-1);
    no_socket_.data = this;
    for (ngx_event_t* event : {&timer_, &soon_}) {
        event->data = &no_socket_;
        event->log = log;
        event->handler = on_timer;
    }
    timer_.cancelable = 1;  // holds no worker that has to go
}

auth::SessionsOptions RedisSessions::options() {
    auth::SessionsOptions options;
    options.window = server_.lookups;
    options.max_waiting = server_.queue;
    options.patience = auth::Milliseconds(server_.timeout);
    options.on_renewal_refused = [this](std::string_view code) {
        ngx_log_error(NGX_LOG_ERR, log_, 0,
                      "ws: redis %s renews no sessions (%*s): ws_auth_touch needs EVAL, PTTL and PEXPIRE",
                      server_.name.c_str(), code.size(), code.data());
    };
    return options;
}

RedisSessions::~RedisSessions() { shutdown(); }

void RedisSessions::shutdown() noexcept {
    store_->shutdown();
    if (timer_.timer_set) { ngx_del_timer(&timer_); }
    if (soon_.posted) { ngx_delete_posted_event(&soon_); }
}

auth::Milliseconds RedisSessions::now() const noexcept { return auth::Milliseconds(ngx_current_msec); }

void RedisSessions::wake_at(auth::Milliseconds time) noexcept {
    const auto at = static_cast<ngx_msec_t>(time.count());
    if (at <= ngx_current_msec) {
        // In this turn of the event loop, with all that comes together; what is left over, in the next.
        ngx_queue_t* queue = running_ ? &ngx_posted_next_events : &ngx_posted_events;
        ngx_post_event(&soon_, queue);
        return;
    }
    if (timer_.timer_set && timer_.timer.key <= at) { return; }
    ngx_add_timer(&timer_, at - ngx_current_msec);
}

void RedisSessions::on_timer(ngx_event_t* event) noexcept {
    auto& self = *static_cast<RedisSessions*>(static_cast<ngx_connection_t*>(event->data)->data);
    self.running_ = true;
    try {
        self.sessions_.run();
        self.running_ = false;
        self.count();
    } catch (...) {
        self.running_ = false;
        ngx_log_error(NGX_LOG_ALERT, event->log, 0, "ws: out of memory");
        self.wake_at(self.now() + auth::Milliseconds(100));
    }
}

void RedisSessions::count() noexcept {
    const auth::Sessions::Tally& now = sessions_.tally();
    counters_.lookups.add(now.lookups - counted_.lookups);
    counters_.cached.add(now.cached - counted_.cached);
    counters_.reads.add(now.reads - counted_.reads);
    counted_ = now;
}

}  // namespace ws::nginx
