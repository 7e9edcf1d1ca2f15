#include "nginx/refused_socket.h"

#include <array>
#include <cstdint>
#include <string>

#include "nginx/connection.h"
#include "nginx/own_handshake.h"
#include "nginx/request_headers.h"
#include "websocket/close_code.h"
#include "websocket/frame.h"
#include "websocket/subprotocol.h"

namespace ws::nginx {

namespace {

struct Close {
    std::uint16_t code;
    std::string_view reason;
};

Close close_for(ngx_int_t status) noexcept {
    switch (status) {
        case NGX_HTTP_UNAUTHORIZED: return {4401, "unauthorized"};
        case NGX_HTTP_FORBIDDEN: return {4403, "forbidden"};
        case NGX_HTTP_SERVICE_UNAVAILABLE: return {websocket::close_code::try_again_later, "try again later"};
        default: return {websocket::close_code::internal_error, "internal error"};
    }
}

// Whether the rest of the answer is on its way. nginx's own filters keep what the socket doesn't take.
bool flush(ngx_http_request_t* r) noexcept {
    return ngx_http_output_filter(r, nullptr) != NGX_ERROR && ngx_handle_write_event(r->connection->write, 0) == NGX_OK;
}

void finish(ngx_http_request_t* r) noexcept {
    if (r->connection->read->timer_set) { ngx_del_timer(r->connection->read); }
    ngx_http_finalize_request(r, NGX_OK);
}

// Nothing more matters of what the client may say.
bool has_said_all(const websocket::Follower& follower) noexcept {
    return follower.violated() || (follower.close_seen() && follower.at_boundary());
}

// Nothing but the client's close frame matters; what comes before is read and forgotten (RFC 6455 5.5.1).
void on_read(ngx_http_request_t* r) noexcept {
    ngx_connection_t* c = r->connection;
    Connection& connection = *Connection::of(r);
    websocket::Follower& follower = *connection.refused;
    if (c->read->timedout || has_said_all(follower)) { return finish(r); }
    std::array<u_char, 4096> bytes;
    // So many at a time, that nobody holds up the event loop.
    for (int n = 0; n < 16; ++n) {
        if (!c->read->ready) { break; }
        const ssize_t size = c->recv(c, bytes.data(), bytes.size());
        if (size == NGX_AGAIN) { break; }
        if (size <= 0) { return finish(r); }
        const std::string_view data(reinterpret_cast<char*>(bytes.data()), static_cast<std::size_t>(size));
        connection.summary->traffic.bytes_in += data.size();
        (void)follower.follow(data);
        if (has_said_all(follower)) { return finish(r); }
    }
    if (c->read->ready) { ngx_post_event(c->read, &ngx_posted_next_events); }
    if (ngx_handle_read_event(c->read, 0) != NGX_OK) { finish(r); }
}

void on_write(ngx_http_request_t* r) noexcept {
    if (!flush(r)) { finish(r); }
}

// A browser that has offered subprotocols fails a WebSocket without one, and then tells no close code.
void agree_subprotocol(ngx_http_request_t& r) {
    const auto offered = websocket::offered_subprotocols(header_values(r, "Sec-WebSocket-Protocol"));
    if (offered && !offered->empty()) { add_response_header(r, "Sec-WebSocket-Protocol", offered->front()); }
}

ngx_int_t send_close_frame(Connection& connection, ngx_int_t status) {
    ngx_http_request_t* r = connection.request;
    const Close close = close_for(status);
    std::string frame;
    websocket::append_close(frame, close.code, close.reason, std::nullopt);
    connection.summary = {{.bytes_out = frame.size()}, close.code, status::ClosedBy::gateway};
    const ngx_str_t kept = copy(r->pool, frame);
    auto* buffer = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
    if (buffer == nullptr) { throw std::bad_alloc(); }
    buffer->pos = buffer->start = kept.data;
    buffer->last = buffer->end = kept.data + kept.len;
    buffer->memory = 1;
    buffer->flush = 1;
    ngx_chain_t out{buffer, nullptr};
    return ngx_http_output_filter(r, &out);
}

}  // namespace

ngx_int_t open_and_close(Connection& connection, ngx_int_t status) {
    ngx_http_request_t* r = connection.request;
    ngx_connection_t* c = r->connection;
    ngx_http_clean_header(r);  // what belongs to the refusal by HTTP
    agree_subprotocol(*r);
    connection.refused.emplace(websocket::Sender::client, false);
    ngx_int_t rc = send_own_101(*r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) { return rc == NGX_OK ? NGX_ERROR : rc; }
    rc = send_close_frame(connection, status);
    if (rc == NGX_ERROR) { return NGX_ERROR; }

    // What the client has sent without waiting for the 101.
    const std::string_view early(reinterpret_cast<char*>(r->header_in->pos),
                                 static_cast<std::size_t>(r->header_in->last - r->header_in->pos));
    r->header_in->pos = r->header_in->last;
    connection.summary->traffic.bytes_in = early.size();
    (void)connection.refused->follow(early);

    r->read_event_handler = on_read;
    r->write_event_handler = on_write;
    ngx_add_timer(c->read, connection.conf->close_timeout);
    ngx_post_event(c->read, &ngx_posted_events);
    if (ngx_handle_write_event(c->write, 0) != NGX_OK) { return NGX_ERROR; }
    return NGX_DONE;
}

}  // namespace ws::nginx
