#include "nginx/admission.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "auth/verdict.h"
#include "nginx/connection.h"
#include "nginx/context_builder.h"
#include "nginx/hook_question.h"
#include "nginx/http_upgrade.h"
#include "nginx/object.h"
#include "nginx/refused_socket.h"
#include "nginx/request_headers.h"
#include "nginx/session_token.h"
#include "nginx/subprotocol_offer.h"
#include "nginx/trace_context.h"
#include "websocket/subprotocol.h"

namespace ws::nginx {

namespace {

constexpr ngx_int_t upgrade_required = 426;

// What a refused client is told and why, for the log; never a token.
ngx_int_t refuse(Connection& connection, ngx_uint_t level, ngx_int_t status, AuthStatus why, std::string_view detail) {
    connection.auth = why;
    connection.verdict = status;
    connection.context.reset();
    count(why);
    ngx_log_error(level, connection.request->connection->log, 0, "ws: refused %i, connection=%*s: %*s", status,
                  connection.id.size(), connection.id.data(), detail.size(), detail.data());
    return status;
}

// RFC 9110 15.5.22 and RFC 6455 4.4: what would be right.
ngx_int_t require_upgrade(Connection& connection, std::string_view detail) {
    ngx_http_request_t* r = connection.request;
    add_response_header(*r, "Upgrade", "websocket");
    add_response_header(*r, "Connection", "upgrade");
    add_response_header(*r, "Sec-WebSocket-Version", "13");
    return refuse(connection, NGX_LOG_INFO, upgrade_required, AuthStatus::malformed, detail);
}

bool has_body(const ngx_http_request_t& r) noexcept {
    return r.headers_in.content_length_n > 0 || r.headers_in.chunked || r.headers_in.transfer_encoding != nullptr;
}

// A line feed inside a value would be a line of its own for the backend.
bool has_control_byte(std::string_view value) noexcept {
    static constexpr auto control = [] {
        std::array<bool, 256> set{};
        for (unsigned c = 0; c < ' '; ++c) { set[c] = c != '\t'; }
        set[0x7f] = true;
        return set;
    }();
    return std::ranges::any_of(value, [](char c) { return control[static_cast<unsigned char>(c)]; });
}

// Nothing that a client sends may pass for ours.
void hide_own_headers(ngx_http_request_t& r, const LocationConf& conf) noexcept {
    hide_headers(r, std::array<std::string_view, 3>{"X-WS-Context", "X-WS-Connection-Id", conf.header->name.text()});
}

// A request that is no upgrade to a WebSocket can't become any other upgrade either (h2c and the like).
void drop_upgrade(ngx_http_request_t& r) {
    // A subrequest shares its variables with its parent, so $http_upgrade has to stay what it is.
    if (&r == r.main) { hide_header(r, "Upgrade"); }
    hide_header(r, "HTTP2-Settings");
    r.headers_in.upgrade = nullptr;  // without it proxy_pass follows no 101
}

// A subrequest has its parent's headers and answers to nginx: never an upgrade.
websocket::RequestKind kind_of(const ngx_http_request_t& r, const websocket::OpeningRequest& opening) noexcept {
    if (&r != r.main) { return websocket::RequestKind::plain; }
    return opening.kind(r.method == NGX_HTTP_GET, r.http_version == NGX_HTTP_VERSION_11, has_body(r));
}

ngx_int_t check_origin(Connection& connection) {
    ngx_http_request_t* r = connection.request;
    const HeaderValue origin = header_value(*r, "Origin");
    if (origin.lines == 0) { return NGX_OK; }  // not a browser
    bool secure = false;
#if (NGX_HTTP_SSL)
    secure = r->connection->ssl != nullptr;
#endif
    const std::string_view host = r->headers_in.host != nullptr ? view(r->headers_in.host->value) : std::string_view{};
    if (origin.lines == 1 && connection.conf->origin->allows(origin.first, host, secure)) { return NGX_OK; }
    return refuse(connection, NGX_LOG_WARN, NGX_HTTP_FORBIDDEN, AuthStatus::origin, "foreign Origin");
}

// Connection names headers for the next hop to drop (RFC 9110 7.6.1): $http_connection must not name ours.
void tame_connection_header(ngx_http_request_t& r, websocket::RequestKind kind) {
    if (&r != r.main) { return; }
    static ngx_str_t upgrade = ngx_string("upgrade");
    static ngx_str_t close = ngx_string("close");
    replace_header(r, "Connection", kind == websocket::RequestKind::upgrade ? upgrade : close);
}

ngx_int_t check_request(Connection& connection) {
    ngx_http_request_t* r = connection.request;
    websocket::OpeningRequest opening;
    bool control_byte = false;
    for_each_header(r->headers_in.headers, [&](const ngx_table_elt_t& line) {
        opening.add({view(line.key), view(line.value)});
        control_byte = control_byte || has_control_byte(view(line.value));
    });
    connection.kind = kind_of(*r, opening);
    switch (connection.kind) {
        case websocket::RequestKind::plain:
            if (!connection.conf->plain) { return require_upgrade(connection, "no WebSocket upgrade"); }
            drop_upgrade(*r);
            break;
        case websocket::RequestKind::malformed:
            return refuse(connection, NGX_LOG_INFO, NGX_HTTP_BAD_REQUEST, AuthStatus::malformed, "malformed upgrade");
        case websocket::RequestKind::wrong_version: return require_upgrade(connection, "wrong WebSocket version");
        case websocket::RequestKind::upgrade:
            if (const ngx_int_t rc = check_origin(connection); rc != NGX_OK) { return rc; }
            if (!websocket::offered_subprotocols(header_values(*r, "Sec-WebSocket-Protocol"))) {
                return refuse(connection, NGX_LOG_INFO, NGX_HTTP_BAD_REQUEST, AuthStatus::malformed,
                              "malformed subprotocols");
            }
            break;
    }
    tame_connection_header(*r, connection.kind);
    if (control_byte) {
        return refuse(connection, NGX_LOG_INFO, NGX_HTTP_BAD_REQUEST, AuthStatus::malformed,
                      "control byte in a header");
    }
    return NGX_OK;
}

// As the client sent them, whatever another location has stripped, of this request or of its parent.
std::vector<std::string_view> client_cookies(const ngx_http_request_t& r) {
    const auto* connection = find_object<Connection>(r.pool, [](const Connection& c) { return !c.stripped.empty(); });
    return connection != nullptr ? connection->stripped : header_values(r, "Cookie");
}

void strip_token_cookies(Connection& connection, const std::vector<std::string_view>& cookies) {
    connection.stripped = cookies;
    for (const TokenSource& source : *connection.conf->tokens) {
        if (source.kind == TokenSource::Kind::cookie || source.kind == TokenSource::Kind::signed_cookie) {
            strip_cookie(*connection.request, source.name);
        }
    }
}

ngx_int_t find_token(Connection& connection) {
    ngx_http_request_t* r = connection.request;
    const std::vector<std::string_view> cookies = client_cookies(*r);
    SessionToken token = find_session_token(*r, cookies, *connection.conf);
    switch (token.status) {
        case SessionToken::Status::found: break;
        case SessionToken::Status::absent:
            if (connection.conf->optional || (connection.conf->hook->hook->flags & WS_AUTH_TOKEN_OPTIONAL) != 0) {
                return NGX_OK;
            }
            return refuse(connection, NGX_LOG_INFO, NGX_HTTP_UNAUTHORIZED, AuthStatus::no_token, "no token");
        case SessionToken::Status::forged:
            if (connection.conf->optional) { return NGX_OK; }
            return refuse(connection, NGX_LOG_INFO, NGX_HTTP_UNAUTHORIZED, AuthStatus::denied,
                          "cookie without a good signature");
        case SessionToken::Status::ambiguous:
            return refuse(connection, NGX_LOG_INFO, NGX_HTTP_BAD_REQUEST, AuthStatus::malformed, "ambiguous token");
    }
    connection.token = std::move(token.value);
    // A token that has to be checked or taken apart before the hook is asked is so here.
    if (connection.conf->strip_cookie) { strip_token_cookies(connection, cookies); }
    return NGX_OK;
}

// Which of the client's subprotocols it shall be, where the location says so; the backend is offered no other.
void pick_subprotocol(Connection& connection) {
    static constexpr std::string_view name = subprotocol_header;
    connection.subprotocol = {};
    const std::vector<std::string>* names = connection.conf->subprotocols;
    if (names == nullptr || names->empty()) { return; }
    const auto offered = websocket::offered_subprotocols(header_values(*connection.request, name));
    const auto picked = std::ranges::find_if(*names, [&offered](const std::string& own) {
        return offered && std::ranges::find(*offered, own) != offered->end();
    });
    if (picked == names->end()) { return hide_header(*connection.request, name); }
    connection.subprotocol = *picked;
    replace_header(*connection.request, name, copy(connection.request->pool, *picked));
}

// The gateway's own extensions; the backend is offered none.
void negotiate(Connection& connection) {
    const auto offers = header_values(*connection.request, "Sec-WebSocket-Extensions");
    websocket::DeflatePolicy policy;
    policy.server_window_bits = static_cast<std::uint8_t>(connection.conf->compression_window);
    connection.extensions = websocket::negotiate_extensions(offers, policy);
}

// As long as the request. What an earlier location's line said, hidden by now, may be in a variable.
std::string_view context_value(Connection& connection) {
    ngx_pool_t* pool = connection.request->pool;
    if (connection.conf->header->encoding != HeaderEncoding::json) {
        return view(copy(pool, connection.context->base64url()));
    }
    if (connection.context_sent == nullptr) { connection.context_sent = connection.context; }
    const std::string_view json = connection.context->json();
    return connection.context_sent == connection.context ? json : view(copy(pool, json));
}

// The last step: the context goes where the location wants it.
ngx_int_t deliver(Connection& connection) {
    ngx_http_request_t* r = connection.request;
    const LocationConf& conf = *connection.conf;
    const bool upgrade = connection.kind == websocket::RequestKind::upgrade;
    const bool in_header = !upgrade || conf.delivery_kind() == DeliveryKind::headers;
    if (!in_header) {
        if (conf.compression) { negotiate(connection); }
        if (connection.extensions.malformed) {
            return refuse(connection, NGX_LOG_INFO, NGX_HTTP_BAD_REQUEST, AuthStatus::malformed,
                          "malformed extensions");
        }
        hide_header(*r, "Sec-WebSocket-Extensions");
    }
    if (upgrade && conf.delivery_kind() == DeliveryKind::http) {
        if (connection.context->json().size() > conf.max_http_context()) {
            return refuse(connection, NGX_LOG_ERR, NGX_HTTP_INTERNAL_SERVER_ERROR, AuthStatus::invalid,
                          "context too large for a header (ws_context_header_max)");
        }
    } else if (in_header && !conf.header->name.empty()) {
        const std::string_view value = context_value(connection);
        if (value.size() > conf.context_header_max) {
            return refuse(connection, NGX_LOG_ERR, NGX_HTTP_INTERNAL_SERVER_ERROR, AuthStatus::invalid,
                          "context too large for a header (ws_context_header_max)");
        }
        add_header(*r, conf.header->name, value);
    }
    if (upgrade) { pick_subprotocol(connection); }
    static const HeaderName id("X-WS-Connection-Id");
    add_header(*r, id, connection.id);
    join_trace(connection);
    connection.verdict = NGX_DECLINED;
    return NGX_DECLINED;
}

ngx_int_t let_pass(Connection& connection, std::string_view session) {
    ContextResult result = build_context(connection, session);
    if (result.context == nullptr) {
        return refuse(connection, NGX_LOG_ERR, NGX_HTTP_INTERNAL_SERVER_ERROR, AuthStatus::invalid, result.error);
    }
    connection.context = std::move(result.context);
    connection.auth = connection.conf->has_hook() ? AuthStatus::allowed : AuthStatus::off;
    return deliver(connection);
}

// Without a session, since the location allows it.
ngx_int_t let_in(Connection& connection, std::shared_ptr<const context::Context> context, AuthStatus status) {
    connection.context = std::move(context);
    connection.auth = status;
    count(status);
    if (status == AuthStatus::anonymous) {
        ngx_log_error(NGX_LOG_INFO, connection.request->connection->log, 0, "ws: anonymous connection=%*s",
                      connection.id.size(), connection.id.data());
    }
    return deliver(connection);
}

ngx_int_t let_in_unchecked(Connection& connection, std::string_view detail) {
    ngx_log_error(NGX_LOG_WARN, connection.request->connection->log, 0,
                  "ws: let in unchecked (ws_auth_fail open), connection=%*s: %*s", connection.id.size(),
                  connection.id.data(), detail.size(), detail.data());
    return let_in(connection, context::Context::empty(), AuthStatus::unchecked);
}

ngx_int_t judge(Connection& connection, const auth::Verdict& verdict) {
    const LocationConf& conf = *connection.conf;
    const std::string_view detail = auth::view(verdict.detail);
    switch (verdict.status) {
        case WS_AUTH_ALLOWED: return let_pass(connection, auth::view(verdict.session));
        case WS_AUTH_DENIED:
            if (conf.optional) { return let_in(connection, context::Context::null(), AuthStatus::anonymous); }
            return refuse(connection, NGX_LOG_INFO, NGX_HTTP_UNAUTHORIZED, AuthStatus::denied, detail);
        case WS_AUTH_UNAVAILABLE:
            if (conf.fail_open != 0) { return let_in_unchecked(connection, detail); }
            // Not all at the same time (RFC 9110 10.2.3). The outage itself is logged once, by the Redis client.
            add_response_header(*connection.request, "Retry-After", std::to_string(1 + ngx_random() % 5));
            return refuse(connection, NGX_LOG_INFO, NGX_HTTP_SERVICE_UNAVAILABLE, AuthStatus::unavailable, detail);
        default: break;
    }
    return refuse(connection, NGX_LOG_ERR, NGX_HTTP_INTERNAL_SERVER_ERROR, AuthStatus::invalid, detail);
}

// Whose headers the request has: its own, from an earlier location, or those of a subrequest's parent.
const Connection* earlier(ngx_http_request_t* r) noexcept {
    const Connection* connection = Connection::of(r);
    return connection != nullptr || r == r->main ? connection : Connection::of(r->parent);
}

ngx_int_t begin(ngx_http_request_t* r) {
    const Connection* const before = earlier(r);
    Connection& connection = Connection::make(r);
    const LocationConf& conf = *connection.conf;
    if (r != r->main) { own_headers(*r); }
    if (before != nullptr) { hide_own_headers(*r, *before->conf); }
    hide_own_headers(*r, conf);
    take_tokens_out_of_offer(connection);
    // On its way to an error_page a request becomes a GET and loses its body: it would look better than it was.
    if (before != nullptr && before->request == r && before->kind == websocket::RequestKind::malformed) {
        connection.kind = before->kind;
        return refuse(connection, NGX_LOG_INFO, NGX_HTTP_BAD_REQUEST, AuthStatus::malformed, "malformed upgrade");
    }
    if (const ngx_int_t rc = check_request(connection); rc != NGX_OK) { return rc; }
    if (!conf.has_hook()) { return let_pass(connection, std::string_view("{}")); }
    if (conf.tokens != nullptr) {
        if (const ngx_int_t rc = find_token(connection); rc != NGX_OK) { return rc; }
        if (connection.token.empty() && (conf.hook->hook->flags & WS_AUTH_TOKEN_OPTIONAL) == 0) {
            return let_in(connection, context::Context::null(), AuthStatus::anonymous);
        }
    }
    return ask_hook(connection, judge);
}

// A location without a hook passes on what the hook of an earlier one has let through, in its own way.
ngx_int_t move_on(Connection& connection, const LocationConf& conf) {
    hide_own_headers(*connection.request, *connection.conf);
    hide_own_headers(*connection.request, conf);
    connection.conf = &conf;
    return deliver(connection);
}

ngx_int_t decide(ngx_http_request_t* r, const LocationConf& conf) {
    Connection* connection = Connection::of(r);
    if (connection != nullptr) {
        if (connection->session_ended) {
            return refuse(*connection, NGX_LOG_INFO, NGX_HTTP_UNAUTHORIZED, AuthStatus::denied, "session ended");
        }
        if (connection->conf == &conf) { return connection->verdict; }
        if (!conf.has_hook() && connection->verdict == NGX_DECLINED) { return move_on(*connection, conf); }
    }
    return begin(r);
}

// A WebSocket can be opened to tell that there is none: if the handshake was right, and the location wants it.
bool closes_instead(const Connection* connection, ngx_int_t status) noexcept {
    return status >= NGX_HTTP_SPECIAL_RESPONSE && connection != nullptr && connection->conf->reject_close != 0 &&
           connection->kind == websocket::RequestKind::upgrade && connection->auth != AuthStatus::malformed;
}

}  // namespace

ngx_int_t admit(ngx_http_request_t* r) noexcept try {
    const LocationConf& conf = location_conf(r);
    if (!conf.active()) { return NGX_DECLINED; }
    const ngx_int_t rc = decide(r, conf);
    Connection* connection = Connection::of(r);
    if (closes_instead(connection, rc)) { return open_and_close(*connection, rc); }
    if (rc == NGX_DECLINED && connection->kind == websocket::RequestKind::upgrade &&
        conf.delivery_kind() == DeliveryKind::http) {
        claim_content(*connection);
    }
    return rc;
} catch (...) { return NGX_HTTP_INTERNAL_SERVER_ERROR; }

}  // namespace ws::nginx
