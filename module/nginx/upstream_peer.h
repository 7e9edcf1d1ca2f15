// A backend's connection that outlives the upstream, and the request, that nginx has made it for: its socket, and what the balancer
// counts with it.
#pragma once

#include "nginx/ngx.h"

#include <optional>

namespace ws::nginx {

class UpstreamPeer final {
public:
    // The balancer is one whose data are known: those of nginx (round robin, least_conn, hash, ip_hash, random, with a zone or
    // without), as their data begin alike and are read by one public function. `keepalive`, and other modules, have functions
    // and data of their own, which lie in the request's pool.
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
    std::optional<ngx_http_upstream_rr_peer_data_t> balanced_;
};

}  // namespace ws::nginx
