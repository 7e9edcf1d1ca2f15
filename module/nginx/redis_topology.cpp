#include "nginx/redis_topology.h"

#include <algorithm>
#include <utility>

#include "redis/reply.h"

namespace ws::nginx {

namespace {

// Commands that may wait for the first answer. More are refused: they would all be late.
constexpr std::size_t max_held = 1024;

void answer_unavailable(const std::vector<RoutedCommandPtr>& commands) {
    for (const RoutedCommandPtr& command : commands) {
        command->answer->answer({redis::Outcome::Status::unavailable, nullptr});
    }
}

}  // namespace

RedisTopology::RedisTopology(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log,
                             ngx_msec_t interval, ngx_msec_t pace)
    : server_(server), log_(log), counters_(counters), interval_(interval), pace_(pace) {
    asked_at_ = ngx_current_msec - pace;
    no_socket_.fd = static_cast<ngx_socket_t>(-1);
    no_socket_.data = this;
    for (ngx_event_t* event : {&work_, &timer_}) {
        event->data = &no_socket_;
        event->log = log;
    }
    work_.handler = on_work;
    timer_.handler = on_timer;
    timer_.cancelable = 1;
}

RedisTopology::~RedisTopology() { RedisTopology::shutdown(); }

std::unique_ptr<redis::Pending> RedisTopology::send(std::span<const std::string_view> argv, Done done) {
    auto answer = std::make_shared<redis::Command>(std::move(done));
    auto handle = std::make_unique<redis::CommandHandle>(answer);
    auto command = std::make_shared<RoutedCommand>(argv, std::move(answer));
    if (known_ && !shut_down_) {
        route(command);
    } else if (!down_ && held_.size() < max_held) {
        held_.push_back(std::move(command));
        look();
    } else {
        ++failed_;
        refuse(command);
    }
    return handle;
}

void RedisTopology::refuse(const RoutedCommandPtr& command) {
    refused_.push_back(command);
    if (!shut_down_) { ngx_post_event(&work_, &ngx_posted_next_events); }
}

void RedisTopology::look() noexcept {
    if (asking_ || wanted_ || shut_down_) { return; }
    const ngx_msec_t since = ngx_current_msec - asked_at_;
    if (since < pace_) {
        wait(pace_ - since);
        return;
    }
    wanted_ = true;
    ngx_post_event(&work_, &ngx_posted_next_events);
}

void RedisTopology::look_every(ngx_msec_t interval) noexcept {
    interval_ = interval;
    look();
}

void RedisTopology::wait(ngx_msec_t time) noexcept {
    const ngx_msec_t at = ngx_current_msec + time;
    if (timer_.timer_set && static_cast<ngx_msec_int_t>(timer_.timer.key - at) <= 0) { return; }
    ngx_add_timer(&timer_, time);
}

void RedisTopology::on_timer(ngx_event_t* event) noexcept {
    static_cast<RedisTopology*>(static_cast<ngx_connection_t*>(event->data)->data)->look();
}

void RedisTopology::on_work(ngx_event_t* event) noexcept {
    auto* self = static_cast<RedisTopology*>(static_cast<ngx_connection_t*>(event->data)->data);
    try {
        self->work();
    } catch (...) {
        ngx_log_error(NGX_LOG_ALERT, self->log_, 0, "ws: out of memory");
        self->asked_all();
    }
}

void RedisTopology::work() {
    for (const auto& node : std::exchange(retired_, {})) { node->client().retire(); }
    answer_unavailable(std::exchange(refused_, {}));
    if (std::exchange(wanted_, false)) {
        asking_ = true;
        asked_at_ = ngx_current_msec;
        objection_.clear();
        ask(0);
    }
}

void RedisTopology::ask(std::size_t n) {
    RedisClient* client = source(n);
    if (client == nullptr) {
        asked_all();
        return;
    }
    question_ = client->send(question(), [this, n](const redis::Outcome& outcome) { answered(outcome, n); });
}

void RedisTopology::answered(const redis::Outcome& outcome, std::size_t n) {
    question_.reset();
    try {
        if (outcome.status != redis::Outcome::Status::reply || !learn(*outcome.reply, n)) {
            note_objection(outcome);
            ask(n + 1);
            return;
        }
        if (std::exchange(down_, false)) {
            ngx_log_error(NGX_LOG_NOTICE, log_, 0, "ws: redis %s is back, %uz requests refused meanwhile",
                          server_.name.c_str(), std::exchange(failed_, 0));
        }
        known_ = true;
        asking_ = false;
        backoff_.reset();
        if (interval_ != 0) { wait(interval_); }
        for (const RoutedCommandPtr& command : std::exchange(held_, {})) {
            if (!command->answer->cancelled()) { route(command); }
        }
    } catch (...) {
        ngx_log_error(NGX_LOG_ALERT, log_, 0, "ws: out of memory");
        asked_all();
    }
}

// The question has no secrets that the error could quote.
void RedisTopology::note_objection(const redis::Outcome& outcome) {
    static constexpr std::size_t longest = 200;
    if (outcome.status != redis::Outcome::Status::reply || !redis::is_error(*outcome.reply)) { return; }
    objection_.assign(" (").append(redis::error_text(*outcome.reply).substr(0, longest)).append(")");
    std::ranges::replace_if(
        objection_, [](char c) { return c < ' ' || c > '~'; }, '?');
}

// And nobody knew. What was known before is believed further on.
void RedisTopology::asked_all() noexcept {
    asking_ = false;
    if (!std::exchange(down_, true)) {
        counters_.outages.add();
        if (!known_) { counters_.state.set(static_cast<std::int64_t>(status::RedisState::down)); }
        ngx_log_error(NGX_LOG_ERR, log_, 0, "ws: redis %s: %s%s", server_.name.c_str(), nobody_knows(),
                      objection_.c_str());
    }
    failed_ += held_.size();
    wait(backoff_.next(static_cast<std::uint32_t>(ngx_random())));
    answer_unavailable(std::exchange(held_, {}));
}

std::function<void()> RedisTopology::on_failure() {
    return [this] { look(); };
}

void RedisTopology::retire(std::unique_ptr<RedisNode> node) {
    retired_.push_back(std::move(node));
    ngx_post_event(&work_, &ngx_posted_next_events);
}

void RedisTopology::shutdown() noexcept {
    shut_down_ = true;
    question_.reset();
    for (const auto& node : retired_) { node->client().shutdown(); }
    held_.clear();
    refused_.clear();
    if (timer_.timer_set) { ngx_del_timer(&timer_); }
    if (work_.posted) { ngx_delete_posted_event(&work_); }
}

}  // namespace ws::nginx
