#include "nginx/own_handshake.h"

#include "nginx/request_headers.h"
#include "nginx/worker.h"
#include "websocket/header_value.h"

namespace ws::nginx {

AcceptValue accept_for(std::string_view key) {
    static constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    auth::Sha1::Digest digest = Worker::current()->sha1().of({websocket::trim(key), guid});
    AcceptValue value;
    ngx_str_t from{digest.size(), digest.data()};
    ngx_str_t to{value.text.size(), reinterpret_cast<u_char*>(value.text.data())};
    ngx_encode_base64(&to, &from);
    return value;
}

ngx_int_t send_own_101(ngx_http_request_t& r) {
    static ngx_str_t line = ngx_string("101 Switching Protocols");
    const HeaderValue key = header_value(r, "Sec-WebSocket-Key");
    if (key.lines != 1) { return NGX_HTTP_BAD_REQUEST; }
    // As nginx does with a connection that it upgrades: no message waits until the client has acknowledged the one before.
    const auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(&r, ngx_http_core_module));
    if (core->tcp_nodelay && ngx_tcp_nodelay(r.connection) != NGX_OK) { return NGX_ERROR; }
    r.keepalive = 0;
    // limit_rate is for responses: the 101 would wait, and nobody for its rest.
    r.limit_rate = 0;
    r.limit_rate_set = 1;
    r.headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    r.headers_out.status_line = line;
    r.headers_out.content_length_n = -1;
    // nginx writes `Connection: upgrade` for this status.
    add_response_header(r, "Upgrade", "websocket");
    add_response_header(r, "Sec-WebSocket-Accept", accept_for(key.first).view());
    return ngx_http_send_header(&r);
}

ngx_int_t flush_101(ngx_http_request_t& r, ngx_int_t rc) noexcept {
    const bool kept = r.out != nullptr && r.connection->buffered == 0;
    return rc == NGX_OK && kept ? ngx_http_write_filter(&r, nullptr) : rc;
}

}  // namespace ws::nginx
