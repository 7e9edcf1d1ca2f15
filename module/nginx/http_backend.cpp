#include "nginx/http_backend.h"

#include <string>
#include <utility>

#include "context/json.h"
#include "nginx/connection.h"
#include "nginx/http_upgrade.h"
#include "nginx/released_request.h"
#include "nginx/tunnel.h"

namespace ws::nginx {

namespace {

// There is no connection to the backend: nothing comes by it, and nothing is sent.
class NoPeer final : public relay::Peer {
public:
    [[nodiscard]] Result recv(std::span<char>) noexcept override { return {Status::again, 0}; }
    [[nodiscard]] Result send(std::string_view data) noexcept override { return {Status::ok, data.size()}; }
    bool finish_sending() noexcept override { return true; }
};

status::HttpResult result_of(const relay::HttpReply& reply) noexcept {
    if (reply.success()) { return status::HttpResult::answered; }
    return reply.missing() ? status::HttpResult::failed : status::HttpResult::refused;
}

}  // namespace

HttpBackend::HttpBackend(Connection& connection, Worker& worker)
    : connection_(connection), worker_(worker), parts_(connection), opened_(ngx_current_msec) {
    event_.handler = on_event;
    event_.data = this;
    event_.log = connection.client->log;
    // Its requests have no socket to ask.
    (void)ngx_connection_local_sockaddr(connection.client, nullptr, 0);
}

HttpBackend::~HttpBackend() { cancel(); }

// From here on nothing leads to this backend, nor from it to its tunnel.
void HttpBackend::cancel() noexcept {
    if (event_.posted) { ngx_delete_posted_event(&event_); }
    if (waiting_) { worker_.forget_waiting(*std::exchange(waiting_, std::nullopt)); }
    for (DetachedRequest* request : std::exchange(under_way_, {})) {
        const auto kind = request->event().kind;
        request->cancel();
        worker_.request_ended(kind, status::HttpResult::cancelled);
    }
}

relay::Peer& HttpBackend::peer() noexcept {
    static NoPeer none;
    return none;
}

void HttpBackend::open() {
    relay::HttpEvent event{.kind = relay::HttpEvent::Kind::open};
    (void)start(event, connection_.context);
}

bool HttpBackend::start(relay::HttpEvent& event, std::shared_ptr<const context::Context> context) {
    under_way_.reserve(under_way_.size() + 1);
    answers_.reserve(answers_.size() + 1);
    if (!worker_.take_request(connection_.conf->most_http_requests())) {
        if (!waiting_) { waiting_ = worker_.wait_for_request(*this); }
        return false;
    }
    if (event.kind == relay::HttpEvent::Kind::close) { add_close_body(event); }
    const auto kind = event.kind;
    const std::uint64_t sequence = event.sequence;
    DetachedRequest* request = nullptr;
    try {
        request = &DetachedRequest::make(connection_, parts_, std::move(event), std::move(context), *this);
    } catch (const std::bad_alloc&) {
        worker_.request_ended(kind, status::HttpResult::failed);
        answers_.push_back({kind, sequence, {.status = NGX_HTTP_SERVICE_UNAVAILABLE}});
        ngx_post_event(&event_, &ngx_posted_events);
        return true;
    }
    under_way_.push_back(request);
    request->run();
    return true;
}

void HttpBackend::add_close_body(relay::HttpEvent& event) const {
    std::string body = "{\"code\":" + std::to_string(event.code) + ",\"reason\":";
    context::append_ascii_string(body, event.reason);
    body += ",\"duration_ms\":" + std::to_string(ngx_current_msec - opened_) + "}";
    event.content_type = "application/json";
    event.body.assign(body.begin(), body.end());
}

void HttpBackend::ended(DetachedRequest& request, relay::HttpReply reply) noexcept {
    std::erase(under_way_, &request);
    worker_.request_ended(request.event().kind, result_of(reply));
    try {
        answers_.push_back({request.event().kind, request.event().sequence, std::move(reply)});
    } catch (...) { out_of_memory_ = true; }
    ngx_post_event(&event_, &ngx_posted_events);
}

void HttpBackend::on_event(ngx_event_t* event) noexcept {
    auto& self = *static_cast<HttpBackend*>(event->data);
    ngx_connection_t* c = self.connection_.client;
    self.deliver();
    run_posted_requests(c);
}

void HttpBackend::on_room() noexcept {
    worker_.forget_waiting(*std::exchange(waiting_, std::nullopt));
    ngx_connection_t* c = connection_.client;
    if (tunnel_ != nullptr) {
        tunnel_->backend_ready();
    } else {
        try_to_open(connection_);
    }
    run_posted_requests(c);
}

// This object may be gone afterwards.
void HttpBackend::deliver() noexcept {
    std::vector<Answer> answers = std::exchange(answers_, {});
    if (tunnel_ == nullptr) {
        opened(connection_, answers.empty() ? relay::HttpReply{} : std::move(answers.front().reply));
        return;
    }
    try {
        for (Answer& answer : answers) { delivery_->answered(answer.kind, answer.sequence, std::move(answer.reply)); }
    } catch (...) { out_of_memory_ = true; }
    if (out_of_memory_) {
        tunnel_->abort();
    } else {
        tunnel_->backend_ready();
    }
}

bool HttpBackend::can_release_request() const noexcept { return connection_.request->upstream == nullptr; }

void HttpBackend::hand_back() noexcept {
    cancel();
    finalize_request(connection_);
}

}  // namespace ws::nginx
