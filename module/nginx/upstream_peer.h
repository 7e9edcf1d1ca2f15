// A backend's connection that outlives the upstream, and the request, that nginx has made it for: its socket, and its place among
// the server's connections, by which the balancer goes.
#pragma once

#include "nginx/ngx.h"

#include <optional>

namespace ws::nginx {

class UpstreamPeer final {
public:
    // The balancer is one of nginx's own, `keepalive` before it or not, where what it counts is known.
    [[nodiscard]] static bool can_take(const ngx_http_upstream_t& upstream) noexcept;

    // Takes the connection; the upstream has none afterwards, and nothing to clean up.
    explicit UpstreamPeer(ngx_http_upstream_t& upstream) noexcept;
    UpstreamPeer(const UpstreamPeer&) = delete;
    UpstreamPeer& operator=(const UpstreamPeer&) = delete;

    // As nginx ends an upstream.
    ~UpstreamPeer();

    [[nodiscard]] ngx_connection_t* connection() const noexcept { return connection_; }

private:
    ngx_connection_t* connection_;
    // What nginx's balancers give back; none for a server that was looked up for one request.
    std::optional<ngx_http_upstream_rr_peer_data_t> place_;
};

}  // namespace ws::nginx
