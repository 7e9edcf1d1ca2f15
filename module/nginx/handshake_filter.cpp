#include "nginx/handshake_filter.h"

#include <memory>
#include <span>
#include <string>

#include "nginx/connection.h"
#include "nginx/delivery_factory.h"
#include "nginx/own_handshake.h"
#include "nginx/request_headers.h"
#include "nginx/tunnel.h"
#include "nginx/upstream_backend.h"
#include "websocket/extensions.h"
#include "websocket/handshake.h"
#include "websocket/subprotocol.h"

namespace ws::nginx {

namespace {

ngx_http_output_header_filter_pt next_header_filter;
ngx_http_output_body_filter_pt next_body_filter;

// In envelope delivery the gateway offers the backend none.
bool extensions_offered(const ngx_http_request_t& r, const Connection& connection,
                        std::span<const std::string_view> answer) {
    if (connection.conf->delivery_kind() == DeliveryKind::envelope) { return false; }
    return websocket::valid_extensions_answer(answer, header_values(r, "Sec-WebSocket-Extensions"));
}

// Why this 1xx can't be passed on, or null.
const char* refuse_switch(ngx_http_request_t* r, const Connection& connection) {
    // nginx takes it for the answer. The client would wait for another (RFC 9110 15.2), which it would find in the body,
    // unchecked, or in what is meant for the next request.
    if (r->headers_out.status != NGX_HTTP_SWITCHING_PROTOCOLS) { return "it is an interim answer"; }
    if (connection.kind != websocket::RequestKind::upgrade) { return "the request asked for no upgrade"; }
    if (!r->upstream->upgrade) { return "nginx would not switch"; }
    const HeaderValue key = header_value(*r, "Sec-WebSocket-Key");
    if (key.lines != 1) { return "the request has no key"; }
    websocket::OpeningResponse opening;
    for_each_header(r->upstream->headers_in.headers, [&opening](const ngx_table_elt_t& line) {
        opening.add({view(line.key), view(line.value)});
    });
    if (!opening.valid(accept_for(key.first).view())) {
        return "its Upgrade, Connection or Sec-WebSocket-Accept is wrong";
    }
    const auto extensions = upstream_header_values(*r, "Sec-WebSocket-Extensions");
    if (!extensions.empty() && !extensions_offered(*r, connection, extensions)) {
        return "it has an extension that was not offered";
    }
    const auto offered = websocket::offered_subprotocols(header_values(*r, "Sec-WebSocket-Protocol"));
    if (!offered ||
        !websocket::valid_subprotocol_answer(response_header_values(*r, "Sec-WebSocket-Protocol"), *offered)) {
        return "it has a subprotocol that was not offered";
    }
    return nullptr;
}

// The backend's answer to an upgrade that was let in, or nginx's for it, is no 101.
void note_refusal(const ngx_http_request_t& r, const Connection& connection) noexcept {
    if (connection.kind != websocket::RequestKind::upgrade || connection.verdict != NGX_DECLINED) { return; }
    ngx_log_error(NGX_LOG_INFO, r.connection->log, 0, "ws: refused %ui, connection=%*s: by the backend",
                  r.headers_out.status, connection.id.size(), connection.id.data());
}

ngx_int_t header_filter(ngx_http_request_t* r) noexcept try {
    Connection* connection = r == r->main && r->upstream != nullptr ? Connection::of(r) : nullptr;
    if (connection == nullptr) { return next_header_filter(r); }
    if (r->headers_out.status >= NGX_HTTP_OK) {
        note_refusal(*r, *connection);
        return next_header_filter(r);
    }
    if (const char* wrong = refuse_switch(r, *connection)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "ws: backend's %ui refused, connection=%*s: %s",
                      r->headers_out.status, connection->id.size(), connection->id.data(), wrong);
        // None of its lines may stand in the 502, and what follows it on its connection is no answer to the next request.
        ngx_http_clean_header(r);
        r->upstream->keepalive = 0;
        return NGX_HTTP_BAD_GATEWAY;
    }
    // A request that was refused can only be here because error_page sent it on, to a location without a hook: nothing of
    // ours goes with it, and the tunnel is nginx's own.
    connection->takeover = connection->verdict == NGX_DECLINED;
    if (connection->takeover && connection->extensions.deflate) {
        add_response_header(*r, "Sec-WebSocket-Extensions", connection->extensions.response);
    }
    if (connection->takeover && !connection->subprotocol.empty() &&
        response_header_values(*r, "Sec-WebSocket-Protocol").empty()) {
        add_response_header(*r, "Sec-WebSocket-Protocol", connection->subprotocol);
    }
    return next_header_filter(r);
} catch (...) { return NGX_ERROR; }

ngx_int_t body_filter(ngx_http_request_t* r, ngx_chain_t* in) noexcept try {
    Connection* connection = r == r->main ? Connection::of(r) : nullptr;
    if (connection == nullptr || !connection->takeover) { return next_body_filter(r, in); }
    connection->takeover = false;
    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "ws: open connection=%*s", connection->id.size(),
                  connection->id.data());
    Tunnel::take_over(*connection, make_delivery(*connection), std::make_unique<UpstreamBackend>(*connection));
    return flush_101(*r, next_body_filter(r, in));
} catch (...) { return NGX_ERROR; }

}  // namespace

void install_handshake_filter() noexcept {
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
}

}  // namespace ws::nginx
