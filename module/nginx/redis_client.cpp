#include "nginx/ngx.h"

#include "nginx/redis_client.h"

#include <array>
#include <utility>

namespace ws::nginx {

using State = RedisConnection::State;

namespace {

// Commands that may wait for one connection to open. More are refused: they would all be late.
constexpr std::size_t max_waiting = 1024;

// Commands of one turn of the event loop go together, in their order: that is one send here and one read in Redis.
bool better(const RedisConnection& a, const RedisConnection& b) noexcept {
    const bool a_ready = a.state() == State::ready;
    const bool b_ready = b.state() == State::ready;
    if (a_ready != b_ready) { return a_ready; }
    return a.gathers() != b.gathers() ? a.gathers() : a.load() < b.load();
}

}  // namespace

RedisClient::RedisClient(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log,
                         std::function<void()> on_failure)
    : server_(server), counters_(counters), log_(log), on_failure_(std::move(on_failure)) {
    for (ngx_uint_t i = 0; i < server.connections; ++i) {
        connections_.push_back(std::make_unique<RedisConnection>(*this, server, log, RedisConnection::Receives{}));
    }
    no_socket_.fd = static_cast<ngx_socket_t>(-1);
    no_socket_.data = this;
    for (ngx_event_t* event : {&work_, &retry_}) {
        event->data = &no_socket_;
        event->log = log;
    }
    work_.handler = on_work;
    retry_.handler = on_retry;
    retry_.cancelable = 1;
}

RedisClient::~RedisClient() { shutdown(); }

std::unique_ptr<redis::Pending> RedisClient::send(std::span<const std::string_view> argv, Done done) {
    auto command = std::make_shared<redis::Command>(std::move(done));
    auto handle = std::make_unique<redis::CommandHandle>(command);
    submit(argv, std::move(command));
    return handle;
}

void RedisClient::submit(std::span<const std::string_view> argv, std::shared_ptr<redis::Command> command) {
    if (RedisConnection* connection = choose()) {
        connection->push(argv, std::move(command));
    } else {
        refuse(std::move(command));
    }
}

void RedisClient::submit_asking(std::span<const std::string_view> argv, std::shared_ptr<redis::Command> command) {
    if (RedisConnection* connection = choose()) {
        connection->push(std::array<std::string_view, 1>{"ASKING"}, std::make_shared<redis::Command>(nullptr));
        connection->push(argv, std::move(command));
    } else {
        refuse(std::move(command));
    }
}

void RedisClient::refuse(std::shared_ptr<redis::Command> command) {
    refused_.push_back(std::move(command));
    ++failed_;
    has_work();
}

// The connection for the next command, opened when there is none or all are busy; null when the command is to be refused.
RedisConnection* RedisClient::choose() {
    if (shut_down_) { return nullptr; }
    RedisConnection* best = nullptr;
    RedisConnection* closed = nullptr;
    for (const auto& connection : connections_) {
        if (connection->state() == State::closed) {
            closed = connection.get();
        } else if (down_ && connection->state() != State::ready) {
            continue;  // an attempt to get back, which may take long
        } else if (best == nullptr || better(*connection, *best)) {
            best = connection.get();
        }
    }
    if (!down_ && closed != nullptr && (best == nullptr || (best->load() > 0 && !best->gathers()))) {
        closed->want(address_);
        has_work();
        if (best == nullptr || best->state() != State::ready) { best = closed; }
    }
    if (best != nullptr && best->state() != State::ready && best->load() >= max_waiting) { return nullptr; }
    return best;
}

void RedisClient::has_work() noexcept {
    if (!shut_down_) {
        // The next turn of the event loop, so that a callback that sends again when refused can't keep this turn from ending.
        ngx_post_event(&work_, &ngx_posted_next_events);
    }
}

void RedisClient::start_wanted() {
    if (dropped_) { tell_dropped(); }
    if (subscription_ != nullptr) { subscription_->receiver().start_wanted(); }
    if (tracking_ != nullptr) {
        tracking_->receiver().start_wanted();
        if (!tracking_->settled()) { return; }
    }
    for (const auto& connection : connections_) {
        if (connection->state() != State::wanted) { continue; }
        if (tracking_ != nullptr) { tracking_->before_start(*connection); }
        connection->start();
    }
}

void RedisClient::on_work(ngx_event_t* event) noexcept {
    auto* self = static_cast<RedisClient*>(static_cast<ngx_connection_t*>(event->data)->data);
    const auto refused = std::exchange(self->refused_, {});
    try {
        self->start_wanted();
        for (const auto& command : refused) { command->answer({redis::Outcome::Status::unavailable, nullptr}); }
    } catch (...) {
        ngx_log_error(NGX_LOG_ALERT, self->log_, 0, "ws: out of memory");
        if (self->dropped_) { self->retry_later(); }
    }
}

void RedisClient::track(redis::Invalidations& listener) {
    tracking_ = std::make_unique<RedisTracking>(*this, server_, log_, listener);
    has_work();
}

void RedisClient::subscribe(const redis::Subscription& subscription) {
    subscription_ = std::make_unique<RedisSubscription>(*this, server_, log_, subscription);
    has_work();
}

void RedisClient::unsubscribe() noexcept { subscription_.reset(); }

RedisReceiver* RedisClient::receiver_of(const RedisConnection& connection) noexcept {
    if (subscription_ != nullptr && subscription_->receiver().is(connection)) { return &subscription_->receiver(); }
    if (tracking_ != nullptr && tracking_->receiver().is(connection)) { return &tracking_->receiver(); }
    return nullptr;
}

void RedisClient::is_up(RedisConnection& connection) {
    counters_.connects.add();
    if (RedisReceiver* receiver = receiver_of(connection)) {
        receiver->up();
        return;
    }
    set_state(status::RedisState::up);
    address_ = connection.address();
    backoff_.reset();
    if (retry_.timer_set) { ngx_del_timer(&retry_); }
    if (down_ || failed_ > 0) {
        ngx_log_error(NGX_LOG_NOTICE, log_, 0, "ws: redis %s is back, %uz requests refused meanwhile",
                      server_.name.c_str(), failed_);
    }
    down_ = false;
    failed_ = 0;
    if (tracking_ != nullptr) { tracking_->reader_up(connection); }
}

// A receiver that fails alone is no outage; if the server is down, the readers will notice.
void RedisClient::is_down(const RedisConnection& connection, const char* reason, ngx_err_t err,
                          std::size_t lost) noexcept {
    if (RedisReceiver* receiver = receiver_of(connection)) {
        receiver->failed(reason);
        if (on_failure_ != nullptr) { on_failure_(); }
        return;
    }
    failed_ += lost;
    if (!down_) {
        down_ = true;
        set_state(status::RedisState::down);
        counters_.outages.add();
        ngx_log_error(NGX_LOG_ERR, log_, err, "ws: redis %s unreachable: %s", server_.name.c_str(), reason);
    }
    retry_later();
    if (on_failure_ != nullptr) { on_failure_(); }
}

void RedisClient::is_closed(const RedisConnection& connection) {
    if (shut_down_) { return; }
    if (RedisReceiver* receiver = receiver_of(connection)) {
        receiver->closed();
    } else if (tracking_ != nullptr) {
        tracking_->reader_closed(down_);
    }
}

void RedisClient::is_dropped() noexcept {
    dropped_ = true;
    retry_later();
}

// Whichever it was.
void RedisClient::tell_dropped() {
    for (RedisReceiver* receiver : {subscription_ != nullptr ? &subscription_->receiver() : nullptr,
                                    tracking_ != nullptr ? &tracking_->receiver() : nullptr}) {
        if (receiver != nullptr && receiver->is_dropped()) { receiver->closed(); }
    }
    if (tracking_ != nullptr) { tracking_->reader_closed(true); }
    dropped_ = false;
}

void RedisClient::tracking_is_refused(const char* why) {
    if (tracking_ != nullptr) { tracking_->refused(why); }
}

void RedisClient::tracking_has_failed() {
    if (tracking_ != nullptr) { tracking_->start_again(); }
}

void RedisClient::retry_later() noexcept {
    if (!retry_.timer_set) { ngx_add_timer(&retry_, backoff_.next(static_cast<std::uint32_t>(ngx_random()))); }
}

void RedisClient::on_retry(ngx_event_t* event) noexcept {
    auto* self = static_cast<RedisClient*>(static_cast<ngx_connection_t*>(event->data)->data);
    if (self->dropped_) { self->has_work(); }
    for (const auto& connection : self->connections_) {
        if (connection->state() == State::closed) {
            try {
                connection->want(self->address_);
                self->has_work();
            } catch (...) { self->retry_later(); }
            return;
        }
    }
}

void RedisClient::retire() {
    const auto refused = std::exchange(refused_, {});
    shut_down_ = true;
    for (const auto& connection : connections_) { connection->end(); }
    for (const auto& command : refused) { command->answer({redis::Outcome::Status::unavailable, nullptr}); }
    shutdown();
}

void RedisClient::shutdown() noexcept {
    shut_down_ = true;
    for (const auto& connection : connections_) { connection->drop(); }
    if (tracking_ != nullptr) { tracking_->receiver().shutdown(); }
    if (subscription_ != nullptr) { subscription_->receiver().shutdown(); }
    if (retry_.timer_set) { ngx_del_timer(&retry_); }
    if (work_.posted) { ngx_delete_posted_event(&work_); }
    refused_.clear();
}

}  // namespace ws::nginx
