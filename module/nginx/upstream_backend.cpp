#include "nginx/upstream_backend.h"

#include "nginx/connection.h"
#include "nginx/released_request.h"
#include "nginx/tunnel.h"

namespace ws::nginx {

namespace {

void on_read(ngx_http_request_t* r, ngx_http_upstream_t*) noexcept { Connection::of(r)->tunnel->backend_readable(); }

void on_write(ngx_http_request_t* r, ngx_http_upstream_t*) noexcept { Connection::of(r)->tunnel->backend_writable(); }

}  // namespace

UpstreamBackend::UpstreamBackend(Connection& connection) noexcept
    : connection_(connection), socket_(Socket::backend(connection.request->upstream)) {}

relay::Milliseconds UpstreamBackend::send_timeout() const noexcept {
    return relay::Milliseconds(connection_.request->upstream->conf->send_timeout);
}

void UpstreamBackend::install(Tunnel&) {
    ngx_http_request_t* r = connection_.request;
    ngx_http_upstream_t* u = r->upstream;
    take_buffers();
    stock_ = {r->read_event_handler, r->write_event_handler, u->read_event_handler, u->write_event_handler};
    u->read_event_handler = on_read;
    u->write_event_handler = on_write;
    // nginx's tunnel runs once more before the first event of ours: it finds neither data nor room for data, and must not
    // see an end either; the socket will tell about it again.
    socket_.connection()->read->eof = 0;
    ngx_post_event(socket_.connection()->read, &ngx_posted_events);
}

// Bytes that nginx has read already, and buffers without room so that it reads no more. What was needed for the handshake
// is given back: headers are copied when they are parsed.
void UpstreamBackend::take_buffers() {
    ngx_http_request_t* r = connection_.request;
    ngx_http_upstream_t* u = r->upstream;
    early_.assign(reinterpret_cast<char*>(u->buffer.pos), static_cast<std::size_t>(u->buffer.last - u->buffer.pos));
    (void)ngx_pfree(r->pool, u->buffer.start);
    static u_char nothing;
    for (ngx_buf_t* buffer : {&u->buffer, &u->from_client}) {
        buffer->start = buffer->pos = buffer->last = buffer->end = &nothing;
    }
    std::string& request = connection_.upgrade_request;
    if (!request.empty()) {
        ngx_buf_t* sent = u->request_bufs->buf;
        sent->start = sent->pos = sent->last = sent->end = &nothing;
        std::string().swap(request);
    }
}

void UpstreamBackend::delete_timers() noexcept {
    for (ngx_event_t* event : {socket_.connection()->read, socket_.connection()->write}) {
        if (event->timer_set) { ngx_del_timer(event); }
    }
}

void UpstreamBackend::read_again() noexcept { ngx_post_event(socket_.connection()->read, &ngx_posted_next_events); }

bool UpstreamBackend::can_release_request() const noexcept {
    const ngx_http_upstream_t& u = *connection_.request->upstream;
#if (NGX_HTTP_CACHE)
    // ws_pass has given it settings without the cache, in the request's pool.
    if (u.conf->cache_zone != nullptr || u.conf->cache_value != nullptr) { return false; }
#endif
    return UpstreamPeer::can_take(u);
}

void UpstreamBackend::release_request() noexcept {
    peer_.emplace(*connection_.request->upstream);
    socket_.count_received(connection_.record->upstream()->bytes_received());
    ngx_connection_t* c = peer_->connection();
    c->data = this;
    c->read->handler = on_event;
    c->write->handler = on_event;
}

void UpstreamBackend::on_event(ngx_event_t* event) noexcept {
    const auto* c = static_cast<ngx_connection_t*>(event->data);
    const Connection& connection = static_cast<UpstreamBackend*>(c->data)->connection_;
    ngx_connection_t* client = connection.client;
    if (event->write) {
        connection.tunnel->backend_writable();
    } else {
        connection.tunnel->backend_readable();
    }
    run_posted_requests(client);
}

void UpstreamBackend::close() noexcept {
    if (!peer_) { return; }
    connection_.record->upstream()->end(peer_->connection()->sent);
    peer_.reset();
}

void UpstreamBackend::hand_back() noexcept {
    if (peer_) {
        close();
        return finalize_request(connection_);
    }
    ngx_http_request_t* r = connection_.request;
    ngx_http_upstream_t* u = r->upstream;
    r->read_event_handler = stock_.client_read;
    r->write_event_handler = stock_.client_write;
    u->read_event_handler = stock_.backend_read;
    u->write_event_handler = stock_.backend_write;
    r->connection->read->eof = 1;
    socket_.connection()->read->eof = 1;
    // With both sides at their end, nginx's tunnel finalizes the request; the tunnel is destroyed on the way.
    stock_.client_read(r);
}

}  // namespace ws::nginx
