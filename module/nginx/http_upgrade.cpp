#include "nginx/http_upgrade.h"

#include <memory>
#include <string>
#include <utility>

#include "nginx/connection.h"
#include "nginx/delivery_factory.h"
#include "nginx/http_backend.h"
#include "nginx/own_handshake.h"
#include "nginx/released_request.h"
#include "nginx/request_headers.h"
#include "nginx/tunnel.h"
#include "nginx/worker.h"
#include "websocket/subprotocol.h"

namespace ws::nginx {

namespace {

// The location's content handler for the client's own request.
ngx_int_t open(ngx_http_request_t* r) noexcept try {
    Connection& connection = *Connection::of(r);
    connection.record = std::make_unique<RequestRecord>(*r);
    connection.opening = std::make_unique<HttpBackend>(connection, *Worker::current());
    connection.opening->open();
    // A client that leaves meanwhile is noticed.
    r->read_event_handler = ngx_http_test_reading;
    ++r->main->count;
    return NGX_DONE;
} catch (...) { return NGX_HTTP_INTERNAL_SERVER_ERROR; }

ngx_int_t refuse(const Connection& connection, ngx_uint_t level, ngx_int_t status, std::string_view why) noexcept {
    ngx_log_error(level, connection.client->log, 0, "ws: refused %i, connection=%*s: %*s", status, connection.id.size(),
                  connection.id.data(), why.size(), why.data());
    return status;
}

// What the client's request is to be finalized with, or NGX_OK.
ngx_int_t judge(const Connection& connection, const relay::HttpReply& reply) {
    if (!reply.success()) {
        const auto status = static_cast<ngx_int_t>(reply.status);
        const bool sayable = status >= NGX_HTTP_SPECIAL_RESPONSE && status < 600;
        return refuse(connection, NGX_LOG_INFO, sayable ? status : NGX_HTTP_BAD_GATEWAY, "by the backend");
    }
    if (reply.subprotocol.empty()) { return NGX_OK; }
    const auto offered = websocket::offered_subprotocols(header_values(*connection.request, "Sec-WebSocket-Protocol"));
    const std::string_view answer = reply.subprotocol;
    if (!offered || !websocket::valid_subprotocol_answer({&answer, 1}, *offered)) {
        return refuse(connection, NGX_LOG_ERR, NGX_HTTP_BAD_GATEWAY, "the backend's subprotocol was not offered");
    }
    return NGX_OK;
}

// A backend may say it as any other, but nginx would end the connection without a word, or say 400.
bool means_something_to_nginx(ngx_int_t status) noexcept {
    return status == NGX_HTTP_REQUEST_TIME_OUT || status == NGX_HTTP_CLOSE ||
           (status >= NGX_HTTP_NGINX_CODES && status <= NGX_HTTP_CLIENT_CLOSED_REQUEST);
}

ngx_int_t send_status(ngx_http_request_t* r, ngx_int_t status) noexcept {
    r->headers_out.status = static_cast<ngx_uint_t>(status);
    r->headers_out.content_length_n = 0;
    const ngx_int_t rc = ngx_http_send_header(r);
    return rc == NGX_OK && !r->header_only ? ngx_http_send_special(r, NGX_HTTP_LAST) : rc;
}

// The client gets its 101; what the backend has said beside it is the first reply.
ngx_int_t accept(Connection& connection, relay::HttpReply reply) {
    ngx_http_request_t* r = connection.request;
    const std::string_view subprotocol = reply.subprotocol.empty() ? connection.subprotocol : reply.subprotocol;
    if (!subprotocol.empty()) { add_response_header(*r, "Sec-WebSocket-Protocol", subprotocol); }
    if (!connection.extensions.response.empty()) {
        add_response_header(*r, "Sec-WebSocket-Extensions", connection.extensions.response);
    }
    const ngx_int_t rc = send_own_101(*r);
    if (rc == NGX_ERROR || rc > NGX_OK) { return rc; }
    if (flush_101(*r, ngx_http_send_special(r, NGX_HTTP_FLUSH)) == NGX_ERROR) { return NGX_ERROR; }
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "ws: open connection=%*s", connection.id.size(),
                  connection.id.data());
    auto delivery = make_http_delivery(connection, *connection.opening);
    delivery->answered(relay::HttpEvent::Kind::open, 0, std::move(reply));
    connection.opening->serve(*delivery);
    Tunnel::take_over(connection, std::move(delivery), std::move(connection.opening));
    return NGX_OK;
}

}  // namespace

void claim_content(Connection& connection) noexcept {
    ngx_http_request_t* r = connection.request;
    if (r->content_handler == open) { return; }
    connection.content_handler = r->content_handler;
    r->content_handler = open;
}

void try_to_open(Connection& connection) noexcept try { connection.opening->open(); } catch (...) {
    ngx_http_finalize_request(connection.request, NGX_HTTP_INTERNAL_SERVER_ERROR);
}

void opened(Connection& connection, relay::HttpReply reply) noexcept {
    ngx_http_request_t* r = connection.request;
    ngx_int_t rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    try {
        rc = connection.session_ended ? refuse(connection, NGX_LOG_INFO, NGX_HTTP_UNAUTHORIZED, "session ended")
                                      : judge(connection, reply);
        if (rc == NGX_OK) { rc = accept(connection, std::move(reply)); }
    } catch (...) { rc = r->header_sent ? NGX_ERROR : NGX_HTTP_INTERNAL_SERVER_ERROR; }
    if (rc == NGX_OK) { return release_request(connection); }
    r->read_event_handler = ngx_http_block_reading;
    ngx_http_finalize_request(r, means_something_to_nginx(rc) ? send_status(r, rc) : rc);
}

}  // namespace ws::nginx
