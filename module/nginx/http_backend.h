// A tunnel's backend in http delivery: makes the requests of a connection's events, from the `open` before the 101 to the `close`.
#pragma once

#include "nginx/ngx.h"

#include <list>
#include <optional>
#include <vector>

#include "nginx/detached_request.h"
#include "nginx/request_template.h"
#include "nginx/tunnel_backend.h"
#include "nginx/worker.h"
#include "relay/http_delivery.h"
#include "relay/requests.h"

namespace ws::nginx {

class HttpBackend final : public TunnelBackend, public relay::Requests, private DetachedRequest::Owner {
public:
    // Throws std::bad_alloc.
    HttpBackend(Connection& connection, Worker& worker);
    HttpBackend(const HttpBackend&) = delete;
    HttpBackend& operator=(const HttpBackend&) = delete;
    ~HttpBackend() override;

    // Asks the backend whether the connection may open. From an event, opened() (http_upgrade.h) hears the answer.
    void open();

    // Whose answers these are from now on.
    void serve(relay::HttpDelivery& delivery) noexcept { delivery_ = &delivery; }

    // For the worker: there is room for another request.
    void on_room() noexcept;

    [[nodiscard]] bool start(relay::HttpEvent& event, std::shared_ptr<const context::Context> context) override;

    [[nodiscard]] relay::Peer& peer() noexcept override;
    [[nodiscard]] relay::Milliseconds send_timeout() const noexcept override { return {}; }
    void install(Tunnel& tunnel) override { tunnel_ = &tunnel; }
    [[nodiscard]] std::string take_early() override { return {}; }
    void delete_timers() noexcept override {}
    [[nodiscard]] bool rearm() noexcept override { return true; }
    void read_again() noexcept override {}
    [[nodiscard]] bool can_release_request() const noexcept override;
    void hand_back() noexcept override;

private:
    struct Answer {
        relay::HttpEvent::Kind kind;
        std::uint64_t sequence;
        relay::HttpReply reply;
    };

    void ended(DetachedRequest& request, relay::HttpReply reply) noexcept override;
    static void on_event(ngx_event_t* event) noexcept;
    void deliver() noexcept;
    void cancel() noexcept;
    void add_close_body(relay::HttpEvent& event) const;

    Connection& connection_;
    Worker& worker_;
    RequestTemplate parts_;
    Tunnel* tunnel_ = nullptr;
    relay::HttpDelivery* delivery_ = nullptr;
    std::vector<DetachedRequest*> under_way_;
    std::vector<Answer> answers_;
    std::optional<Worker::HttpBackends::iterator> waiting_;
    ngx_msec_t opened_;
    bool out_of_memory_ = false;  // an answer is lost
    ngx_event_t event_{};         // answers have come
};

}  // namespace ws::nginx
