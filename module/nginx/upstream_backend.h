// A tunnel's backend that is a WebSocket itself: the upstream of the client's request, taken over from nginx's own tunnel after
// the 101. While the request is there, it is handed back to nginx at the end; once it is released, its end is this object's.
#pragma once

#include "nginx/ngx.h"

#include <optional>
#include <string>

#include "nginx/socket.h"
#include "nginx/tunnel_backend.h"
#include "nginx/upstream_peer.h"

namespace ws::nginx {

struct Connection;

class UpstreamBackend final : public TunnelBackend {
public:
    explicit UpstreamBackend(Connection& connection) noexcept;
    ~UpstreamBackend() override { close(); }

    [[nodiscard]] relay::Peer& peer() noexcept override { return socket_; }
    [[nodiscard]] relay::Milliseconds send_timeout() const noexcept override;

    // In the one moment when it can be done: nginx has installed its tunnel's handlers and not yet called them
    // (ngx_http_upstream_upgrade flushes the response between the two).
    void install(Tunnel& tunnel) override;
    [[nodiscard]] std::string take_early() override { return std::move(early_); }
    void delete_timers() noexcept override;
    [[nodiscard]] bool rearm() noexcept override { return socket_.rearm(); }
    [[nodiscard]] bool read_empty() const noexcept override { return !socket_.connection()->read->ready; }
    void read_again() noexcept override;
    [[nodiscard]] bool can_release_request() const noexcept override;
    void release_request() noexcept override;
    void hand_back() noexcept override;

private:
    // nginx's handlers, to be called at the end.
    struct Stock {
        ngx_http_event_handler_pt client_read;
        ngx_http_event_handler_pt client_write;
        ngx_http_upstream_handler_pt backend_read;
        ngx_http_upstream_handler_pt backend_write;
    };

    static void on_event(ngx_event_t* event) noexcept;
    void take_buffers();
    void close() noexcept;

    Connection& connection_;
    Socket socket_;
    Stock stock_{};
    std::string early_;                 // read by nginx before the take-over
    std::optional<UpstreamPeer> peer_;  // once the request is released
};

}  // namespace ws::nginx
