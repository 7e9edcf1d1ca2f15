#include "nginx/upstream_backend.h"

#include "nginx/connection.h"
#include "nginx/tunnel.h"

namespace ws::nginx {

namespace {

void on_read(ngx_http_request_t* r, ngx_http_upstream_t*) noexcept { Connection::of(r)->tunnel->backend_readable(); }

void on_write(ngx_http_request_t* r, ngx_http_upstream_t*) noexcept { Connection::of(r)->tunnel->backend_writable(); }

}  // namespace

void UpstreamBackend::install(Tunnel&) {
    ngx_http_upstream_t* u = r_->upstream;
    take_buffers();
    stock_ = {r_->read_event_handler, r_->write_event_handler, u->read_event_handler, u->write_event_handler};
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
    ngx_http_upstream_t* u = r_->upstream;
    early_.assign(reinterpret_cast<char*>(u->buffer.pos), static_cast<std::size_t>(u->buffer.last - u->buffer.pos));
    (void)ngx_pfree(r_->pool, u->buffer.start);
    static u_char nothing;
    for (ngx_buf_t* buffer : {&u->buffer, &u->from_client}) {
        buffer->start = buffer->pos = buffer->last = buffer->end = &nothing;
    }
    std::string& request = Connection::of(r_)->upgrade_request;
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

void UpstreamBackend::hand_back() noexcept {
    ngx_http_upstream_t* u = r_->upstream;
    r_->read_event_handler = stock_.client_read;
    r_->write_event_handler = stock_.client_write;
    u->read_event_handler = stock_.backend_read;
    u->write_event_handler = stock_.backend_write;
    r_->connection->read->eof = 1;
    socket_.connection()->read->eof = 1;
    // With both sides at their end, nginx's tunnel finalizes the request; the tunnel is destroyed on the way.
    stock_.client_read(r_);
}

}  // namespace ws::nginx
