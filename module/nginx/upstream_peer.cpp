#include "nginx/upstream_peer.h"

#include <utility>

namespace ws::nginx {

bool UpstreamPeer::can_take(const ngx_http_upstream_t& upstream) noexcept {
    const ngx_peer_connection_t& peer = upstream.peer;
    return upstream.cleanup != nullptr && peer.connection != nullptr && peer.sockaddr != nullptr &&
           peer.free == ngx_http_upstream_free_round_robin_peer &&
           peer.connection->read->handler == peer.connection->write->handler && !peer.connection->buffered;
}

UpstreamPeer::UpstreamPeer(ngx_http_upstream_t& upstream) noexcept
    : connection_(std::exchange(upstream.peer.connection, nullptr)) {
    if (upstream.upstream != nullptr) {
        balanced_ = *static_cast<ngx_http_upstream_rr_peer_data_t*>(upstream.peer.data);
        balanced_->tried = nullptr;  // of the request's pool, and for the choice of another server
    } else {
        // Its servers were found for this request alone, and go with it: nobody else counts with them.
        upstream.peer.free(&upstream.peer, upstream.peer.data, 0);
    }
    upstream.peer.sockaddr = nullptr;
    *std::exchange(upstream.cleanup, nullptr) = nullptr;
#if (NGX_HTTP_SSL)
    if (connection_->ssl != nullptr) {
        connection_->ssl->save_session = nullptr;  // would look for the request
        ngx_ssl_free_buffer(connection_);
    }
#endif
}

UpstreamPeer::~UpstreamPeer() {
    if (balanced_) {
        ngx_peer_connection_t peer{};
        peer.connection = connection_;
        peer.log = connection_->log;
        peer.free = ngx_http_upstream_free_round_robin_peer;
        peer.data = &*balanced_;
        peer.free(&peer, peer.data, 0);
    }
#if (NGX_HTTP_SSL)
    if (connection_->ssl != nullptr) {
        connection_->ssl->no_wait_shutdown = 1;
        (void)ngx_ssl_shutdown(connection_);
    }
#endif
    if (connection_->pool != nullptr) { ngx_destroy_pool(connection_->pool); }
    ngx_close_connection(connection_);
}

}  // namespace ws::nginx
