#include "nginx/upstream_peer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace ws::nginx {

namespace {

using Place = ngx_http_upstream_rr_peer_data_t;

// All modules that have a say in `upstream` are known: nobody keeps other data there, or looks for others.
bool only_known_balancers() noexcept {
    static constexpr std::array<std::string_view, 8> names{
        "ngx_http_upstream_module",           "ngx_http_upstream_hash_module",      "ngx_http_upstream_ip_hash_module",
        "ngx_http_upstream_keepalive_module", "ngx_http_upstream_zone_module",      "ngx_http_upstream_random_module",
        "ngx_http_upstream_sticky_module",    "ngx_http_upstream_least_conn_module"};
    ngx_module_t* const* modules = ngx_cycle->modules;
    return std::all_of(modules, modules + ngx_cycle->modules_n, [](const ngx_module_t* module) {
        if (module->type != NGX_HTTP_MODULE || module->commands == nullptr) { return true; }
        for (const ngx_command_t* command = module->commands; command->name.len != 0; ++command) {
            if ((command->type & NGX_HTTP_UPS_CONF) != 0) {
                return std::ranges::find(names, module->name) != names.end();
            }
        }
        return true;
    });
}

// The server that an upstream is connected to, in the servers of its `upstream`; `visit` is called while it is locked. A server that was
// found by name may be gone from there. nginx's macros want the names of variables.
template <class Visit>
bool visit_server(const ngx_http_upstream_t& upstream, Visit visit) noexcept {
    auto* peers = static_cast<ngx_http_upstream_rr_peers_t*>(upstream.upstream->peer.data);
    for (bool found = false; peers != nullptr; peers = peers->next) {
        ngx_http_upstream_rr_peers_rlock(peers);
        for (ngx_http_upstream_rr_peer_t* peer = peers->peer; peer != nullptr; peer = peer->next) {
            if (peer->sockaddr != upstream.peer.sockaddr) { continue; }
            ngx_http_upstream_rr_peer_lock(peers, peer);
            visit(*peers, *peer);
            ngx_http_upstream_rr_peer_unlock(peers, peer);
            found = true;
            break;
        }
        ngx_http_upstream_rr_peers_unlock(peers);
        if (found) { return true; }
    }
    return false;
}

// One more connection of the server's.
std::optional<Place> take_place(const ngx_http_upstream_t& upstream) noexcept {
    std::optional<Place> place;
    (void)visit_server(upstream, [&place](ngx_http_upstream_rr_peers_t& peers, ngx_http_upstream_rr_peer_t& peer) {
        ++peer.conns;
#if (NGX_HTTP_UPSTREAM_ZONE && nginx_version >= 1027003)
        ngx_http_upstream_rr_peer_ref((&peers), (&peer));
#endif
        place.emplace();
        place->peers = &peers;
        place->current = &peer;
    });
    return place;
}

// Not its own data's: they are the same for round robin, least_conn, hash, ip_hash and random, which begin with those of round robin
// and have its function.
std::optional<Place> place_of(const ngx_peer_connection_t& peer) noexcept {
    std::optional<Place> place(*static_cast<Place*>(peer.data));
    place->tried = nullptr;  // of the request's pool, and for the choice of another server
    return place;
}

}  // namespace

bool UpstreamPeer::can_take(const ngx_http_upstream_t& upstream) noexcept {
    const ngx_peer_connection_t& peer = upstream.peer;
    if (upstream.cleanup == nullptr || peer.connection == nullptr || peer.sockaddr == nullptr || peer.free == nullptr ||
        peer.connection->read->handler != peer.connection->write->handler || peer.connection->buffered) {
        return false;
    }
    return peer.free == ngx_http_upstream_free_round_robin_peer ||
           (upstream.upstream != nullptr && only_known_balancers() && visit_server(upstream, [](auto&, auto&) {}));
}

UpstreamPeer::UpstreamPeer(ngx_http_upstream_t& upstream) noexcept
    : connection_(std::exchange(upstream.peer.connection, nullptr)) {
    ngx_peer_connection_t& peer = upstream.peer;
    if (upstream.upstream != nullptr && peer.free == ngx_http_upstream_free_round_robin_peer) {
        place_ = place_of(peer);
    } else {
        // A server that was looked up for this request alone goes with it. `keepalive` and `sticky` have data of their own: so
        // the upstream gives its place back, and another is taken before.
        if (upstream.upstream != nullptr) { place_ = take_place(upstream); }
        upstream.keepalive = 0;
        peer.free(&peer, peer.data, 0);
    }
    peer.sockaddr = nullptr;
    *std::exchange(upstream.cleanup, nullptr) = nullptr;
#if (NGX_HTTP_SSL)
    if (connection_->ssl != nullptr) {
        connection_->ssl->save_session = nullptr;  // would look for the request
        ngx_ssl_free_buffer(connection_);
    }
#endif
}

UpstreamPeer::~UpstreamPeer() {
    if (place_) {
        ngx_peer_connection_t peer{};
        peer.connection = connection_;
        peer.log = connection_->log;
        ngx_http_upstream_free_round_robin_peer(&peer, &*place_, 0);
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
