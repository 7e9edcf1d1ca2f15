#include "nginx/tunnel.h"

#include <algorithm>
#include <string>
#include <utility>

#include "auth/sha256.h"
#include "control/answer.h"
#include "nginx/released_request.h"
#include "websocket/close_code.h"

namespace ws::nginx {

namespace {

using relay::Milliseconds;
using relay::Side;
using State = relay::Relay::State;

// Of the range for applications (RFC 6455 7.4.2).
namespace close_codes {
constexpr std::uint16_t session_ended = 4401;
constexpr std::uint16_t session_changed = 4409;
}  // namespace close_codes

// Keeps an exiting worker alive for connections that have no deadline of their own.
constexpr ngx_msec_t far_away = 24 * 3600 * 1000;

// How long a connection lives before its request is released. Those that end at once don't pay for it. Longer would be worse: memory that
// many connections held when they opened together, as after a restart, is freed in pieces that the system doesn't get back.
constexpr ngx_msec_t release_after = 100;

Milliseconds now() noexcept { return Milliseconds(ngx_current_msec); }

// Connections that were opened together shall not end together.
Milliseconds at_random(ngx_msec_t from, ngx_msec_t span) noexcept {
    return Milliseconds(from + static_cast<ngx_msec_t>(ngx_random()) % (span + 1));
}

relay::GateLimits limits(const Connection& connection) noexcept {
    // A ping or two a second are plenty.
    static constexpr relay::Rate default_control_frame_rate{100 * 60, 100};
    const LocationConf& conf = *connection.conf;
    relay::GateLimits limits;
    limits.controls = conf.control_frame_rate != nullptr ? *conf.control_frame_rate : default_control_frame_rate;
    if (conf.message_rate != nullptr) {
        limits.messages = conf.message_rate->rate;
        limits.delay_messages = conf.message_rate->delay;
    }
    return limits;
}

relay::Timeouts timeouts(const Connection& connection, const TunnelBackend& backend) noexcept {
    ngx_http_request_t* r = connection.request;
    const auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    return {
        .idle = at_random(connection.conf->idle_timeout, connection.conf->idle_timeout / 10),
        .close = Milliseconds(connection.conf->close_timeout),
        .ping = Milliseconds(connection.conf->ping_interval),
        .pong = Milliseconds(connection.conf->pong_timeout),
        .client_send = Milliseconds(core->send_timeout),
        .backend_send = backend.send_timeout(),
        .age = at_random(connection.conf->max_age - connection.conf->max_age / 10, connection.conf->max_age / 10),
        .message = Milliseconds(connection.conf->message_timeout),
    };
}

status::Delivery kind(const Connection& connection) noexcept {
    switch (connection.conf->delivery_kind()) {
        case DeliveryKind::headers: return status::Delivery::headers;
        case DeliveryKind::http: return status::Delivery::http;
        case DeliveryKind::envelope: break;
    }
    return status::Delivery::envelope;
}

// An end without a cause is nginx's own: it has closed the connection.
status::ClosedBy closed_by(relay::End::Cause cause) noexcept {
    switch (cause) {
        case relay::End::Cause::client: return status::ClosedBy::client;
        case relay::End::Cause::backend: return status::ClosedBy::backend;
        case relay::End::Cause::gateway:
        case relay::End::Cause::none: break;
    }
    return status::ClosedBy::gateway;
}

void delete_timer(ngx_event_t* event) noexcept {
    if (event->timer_set) { ngx_del_timer(event); }
}

}  // namespace

void Tunnel::take_over(Connection& connection, std::unique_ptr<relay::Delivery> delivery,
                       std::unique_ptr<TunnelBackend> backend) {
    connection.tunnel =
        std::make_unique<Tunnel>(connection, std::move(delivery), std::move(backend), *Worker::current());
    connection.tunnel->install();
    // The backend has got headers that are old by now; an envelope is yet to be made.
    const bool in_headers = connection.conf->delivery_kind() == DeliveryKind::headers;
    if (connection.session_ended || (connection.session_changed && in_headers)) {
        connection.tunnel->session_changed();
    }
    const auth::Renewal* touch = connection.hook_conf != nullptr ? connection.hook_conf->touch : nullptr;
    if (connection.watch != nullptr && connection.watch->renew != nullptr && touch != nullptr &&
        touch->ttl.count() > 0) {
        connection.watch->renew(connection.watch.get(), touch->ttl.count(), touch->interval.count());
    }
}

Tunnel::Tunnel(Connection& connection, std::unique_ptr<relay::Delivery> delivery,
               std::unique_ptr<TunnelBackend> backend, Worker& worker)
    : connection_(connection),
      worker_(worker),
      place_(worker.add(*this)),
      client_(Socket::client(connection.request)),
      backend_(std::move(backend)),
      relay_(client_, backend_->peer(), std::move(delivery), timeouts(connection, *backend_), limits(connection),
             worker.scratch(), connection.conf->max_pending),
      meter_(worker.counters(), kind(connection)),
      timer_(*this) {
    timer_.data = client_.connection();
    timer_.handler = on_timer;
    timer_.log = connection.client->log;
}

Tunnel::~Tunnel() {
    if (!ended_) { finish(); }
}

// From here on neither a timer nor the worker's exit leads to this tunnel.
void Tunnel::leave_worker() noexcept {
    ended_ = true;
    delete_timer(&timer_);
    if (notice_) { worker_.forget(*std::exchange(notice_, std::nullopt)); }
    worker_.remove(place_);
}

void Tunnel::install() {
    ngx_http_request_t* r = connection_.request;
    // As nginx does where it passes a response on unbuffered: a delayed write event would wait for a timer that is ours now.
    r->limit_rate = 0;
    r->limit_rate_set = 1;
    early_client_.assign(reinterpret_cast<char*>(r->header_in->pos),
                         static_cast<std::size_t>(r->header_in->last - r->header_in->pos));
    r->header_in->pos = r->header_in->last;
    backend_->install(*this);
    r->read_event_handler = on_client_read;
    r->write_event_handler = on_client_write;
    ngx_event_t* read = client_.connection()->read;
    read->eof = 0;  // the socket will tell about it again
    if (!read->posted) { ngx_post_event(read, &ngx_posted_events); }
}

void Tunnel::forget_request() noexcept {
    client_.forget_request();
    backend_->release_request();
}

void Tunnel::drain(std::size_t part, std::size_t parts) noexcept {
    const ngx_msec_t time = worker_.drain_time(connection_.conf->drain_timeout);
    if (time == 0 || drain_at_ != 0) { return; }
    // The last one must have its time to close as well.
    const ngx_msec_t spread = time - std::min(time / 2, connection_.conf->close_timeout);
    const ngx_msec_t within = static_cast<ngx_msec_t>(ngx_random()) % (spread / parts + 1);
    const ngx_msec_t current = ngx_current_msec;
    drain_at_ = std::max(current, worker_.exiting_since() + spread * part / parts + within);
    arm_timer();
}

void Tunnel::session_changed() {
    if (!ended_ && !notice_) { notice_ = worker_.notify(*this); }
}

void Tunnel::on_session() noexcept {
    worker_.forget(*std::exchange(notice_, std::nullopt));
    ngx_connection_t* c = client_.connection();
    drive([this] { return follow_session(); });
    run_posted_requests(c);
}

State Tunnel::follow_session() {
    if (connection_.session_ended) {
        relay_.revoke();
        worker_.counters().revocations.add();
        ngx_log_error(NGX_LOG_INFO, connection_.client->log, 0, "ws: session ended, connection=%*s",
                      connection_.id.size(), connection_.id.data());
        return relay_.close({close_codes::session_ended, "session ended"},
                            {websocket::close_code::going_away, "session ended"}, now());
    }
    if (connection_.conf->delivery_kind() == DeliveryKind::headers) {
        if (!connection_.conf->live_headers_close) { return State::open; }
        return relay_.close({close_codes::session_changed, "session changed"},
                            {websocket::close_code::going_away, "session changed"}, now());
    }
    return relay_.change_context(connection_.context, now());
}

relay::CommandResult Tunnel::command(const context::Command& command) noexcept {
    const auto* message = std::get_if<context::MessageCommand>(&command);
    if (message != nullptr && message->data.size() > connection_.conf->max_message_size) {
        return relay::CommandResult::too_large;
    }
    relay::CommandResult result = relay::CommandResult::ending;
    ngx_connection_t* c = client_.connection();
    drive([&] { return relay_.command(command, result, now()); });
    run_posted_requests(c);
    return result;
}

std::string Tunnel::session_name() const {
    return connection_.token.empty() ? std::string() : auth::sha256_hex(connection_.token);
}

std::string_view Tunnel::context() const noexcept {
    const context::Context* context = relay_.delivery().context();
    if (context == nullptr) { context = connection_.context.get(); }
    return context != nullptr ? context->json() : std::string_view{};
}

std::string Tunnel::describe() const {
    const status::Traffic traffic = summary().traffic;
    const std::string session = session_name();
    return control::describe({.id = connection_.id,
                              .session = session,
                              .delivery = status::deliveries[static_cast<std::size_t>(kind(connection_))],
                              .path = connection_.path(),
                              .client = view(connection_.client->addr_text),
                              .context = context(),
                              .age_ms = ngx_current_msec - opened_,
                              .messages_in = traffic.messages_in,
                              .messages_out = traffic.messages_out,
                              .bytes_in = traffic.bytes_in,
                              .bytes_out = traffic.bytes_out});
}

void Tunnel::on_client_read(ngx_http_request_t* r) noexcept { Connection::of(r)->tunnel->client_readable(); }

void Tunnel::on_client_write(ngx_http_request_t* r) noexcept { Connection::of(r)->tunnel->client_writable(); }

void Tunnel::client_readable() noexcept {
    drive([this] { return relay_.readable(Side::client, now()); });
}

void Tunnel::client_writable() noexcept {
    if (nothing_waits()) { return; }
    drive([this] { return relay_.writable(Side::client, now()); });
}

void Tunnel::backend_readable() noexcept {
    drive([this] { return relay_.readable(Side::backend, now()); });
}

void Tunnel::backend_writable() noexcept {
    if (nothing_waits()) { return; }
    drive([this] { return relay_.writable(Side::backend, now()); });
}

void Tunnel::backend_ready() noexcept {
    drive([this] { return relay_.resume(now()); });
}

void Tunnel::abort() noexcept {
    drive([]() -> State { throw std::bad_alloc(); });
}

// Edge-triggered epoll tells with each arrival of data that the socket is writable, too. Then there is nothing to do, unless
// something waits: to be sent, or to be read by who could not be read before.
bool Tunnel::nothing_waits() const noexcept {
    return started_ && relay_.at_rest() && !client_.response_waits() && !client_.connection()->read->ready &&
           backend_->read_empty();
}

void Tunnel::on_timer(ngx_event_t* event) noexcept {
    Tunnel& self = OwnedEvent<Tunnel>::owner_of(event);
    ngx_connection_t* c = self.client_.connection();
    if (self.release_at_ != 0 && ngx_current_msec >= self.release_at_) {
        self.release_at_ = 0;
        release_request(self.connection_);
    }
    self.drive([&self] { return self.on_time(); });
    run_posted_requests(c);
}

State Tunnel::on_time() {
    if (drain_at_ == 0 || ngx_current_msec < drain_at_) { return relay_.expired(now()); }
    drain_at_ = 0;
    relay_.shorten_end(Milliseconds(worker_.drain_left(connection_.conf->drain_timeout)));
    // RFC 6455 7.4.1 has no place for it but the reason; as with a 503, not the same for all (RFC 9110 10.2.3).
    const std::string reason = "server restart; retry-after=" + std::to_string(1 + ngx_random() % 5);
    return relay_.close({websocket::close_code::service_restart, reason},
                        {websocket::close_code::going_away, "server restart"}, now());
}

State Tunnel::start() {
    started_ = true;
    if (connection_.request != nullptr) { release_at_ = ngx_current_msec + release_after; }
    delete_timer(client_.connection()->read);
    delete_timer(client_.connection()->write);
    backend_->delete_timers();
    const State state = relay_.start(std::exchange(early_client_, {}), backend_->take_early(), now());
    // The worker was told to go while the handshake was under way.
    if (ngx_exiting && state != State::done) { drain(0, 1); }
    return state;
}

// One step of the relay, and what follows from it. The tunnel may be gone afterwards.
template <class Step>
void Tunnel::drive(Step step) noexcept {
    State state = State::done;
    try {
        state = started_ ? State::open : start();
        if (state == State::open) { state = step(); }
    } catch (...) {
        state = State::done;
        relay_.abandon();
        ngx_log_error(NGX_LOG_ERR, connection_.client->log, 0, "ws: out of memory, connection=%*s closed",
                      connection_.id.size(), connection_.id.data());
    }
    meter_.update(summary().traffic);
    if (state == State::done || !client_.rearm() || !backend_->rearm()) {
        hand_back();
        return;
    }
    if (state == State::busy) {
        ngx_post_event(client_.connection()->read, &ngx_posted_next_events);
        backend_->read_again();
    }
    if (state != State::steady || !timer_.timer_set) { arm_timer(); }
}

void Tunnel::arm_timer() noexcept {
    ngx_msec_t at = ngx_current_msec + far_away;
    if (const auto deadline = relay_.deadline()) { at = static_cast<ngx_msec_t>(deadline->count()); }
    if (drain_at_ != 0) { at = std::min(at, drain_at_); }
    if (release_at_ != 0) { at = std::min(at, release_at_); }
    // A timer that comes too early is set anew when it fires, which is cheaper than with every message.
    if (timer_.timer_set && timer_.timer.key <= at) { return; }
    delete_timer(&timer_);  // otherwise nginx leaves it where it is if the difference is small
    ngx_add_timer(&timer_, at > ngx_current_msec ? at - ngx_current_msec : 0);
}

void Tunnel::hand_back() noexcept {
    client_.discard(worker_.scratch().input);
    // nginx may keep the request for a while, to send what is left of the response; its backend is gone then.
    finish();
    connection_.watch.reset();
    if (connection_.expiry.timer_set) { ngx_del_timer(&connection_.expiry); }
    backend_->hand_back();
}

// The WebSocket is over: what was so until now is kept for the access log.
void Tunnel::finish() noexcept {
    const Summary last = summary();
    const relay::End::Cause cause = relay_.delivery().end().cause;
    connection_.summary = {last.traffic, relay_.delivery().end().code, closed_by(cause)};
    meter_.update(last.traffic);
    meter_.close(connection_.summary->close_code, connection_.summary->closed_by);
    log_end(*connection_.summary);
    leave_worker();
}

Summary Tunnel::summary() const noexcept {
    const relay::Delivery& delivery = relay_.delivery();
    const relay::Tally tally = relay_.tally();
    return {.traffic = {.messages_in = delivery.messages(Side::client),
                        .messages_out = delivery.messages(Side::backend),
                        .bytes_in = tally.client_received,
                        .bytes_out = tally.client_sent,
                        .pings = tally.pings,
                        .pongs_missed = tally.pongs_missed}};
}

void Tunnel::log_end(const Summary& summary) noexcept {
    const relay::End& end = relay_.delivery().end();
    const bool fault =
        end.cause == relay::End::Cause::backend && (end.violation || end.code == websocket::close_code::bad_gateway);
    const bool restart = end.cause == relay::End::Cause::gateway && end.code == websocket::close_code::service_restart;
    const ngx_uint_t level = fault ? NGX_LOG_ERR : restart ? NGX_LOG_NOTICE : NGX_LOG_INFO;
    const std::string_view by = status::closers[static_cast<std::size_t>(summary.closed_by)];
    const std::string_view detail = end.cause != relay::End::Cause::none ? std::string_view(end.detail) : "by nginx";
    ngx_log_error(level, connection_.client->log, 0,
                  "ws: closed connection=%*s by=%*s code=%ui messages_in=%uL messages_out=%uL%s%*s",
                  connection_.id.size(), connection_.id.data(), by.size(), by.data(),
                  static_cast<ngx_uint_t>(summary.close_code), summary.traffic.messages_in,
                  summary.traffic.messages_out, detail.empty() ? "" : " ", detail.size(), detail.data());
}

}  // namespace ws::nginx
