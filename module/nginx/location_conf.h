// What the directives of http, server and location say. Read-only after the configuration has been merged.
#pragma once

#include "nginx/ngx.h"

#include <optional>
#include <string>
#include <vector>

#include "auth/session_watch.h"
#include "auth/signed_cookie.h"
#include "context/recipe.h"
#include "nginx/hook_registry.h"
#include "nginx/redis_server.h"
#include "nginx/request_headers.h"
#include "relay/gate.h"
#include "websocket/origin.h"

namespace ws::auth {
class JwtKeys;
}

namespace ws::nginx {

// One source of ws_auth_token.
struct TokenSource {
    enum class Kind { cookie, signed_cookie, argument, bearer, header, subprotocol };
    Kind kind;
    std::string name;  // of the cookie, argument or header, taken literally; or the subprotocol's prefix
};

// One ws_context_field.
struct ContextField {
    std::string name;
    std::optional<context::FieldType> type;
    std::string session_path;         // the value is $ws_session.PATH; otherwise
    ngx_http_complex_value_t* value;  // this
};

// One ws_control.
struct ControlSettings {
    std::string prefix;   // of its location
    std::string channel;  // where all workers listen
    ngx_msec_t timeout;   // for their answers
    const RedisServer* redis;
};

enum class DeliveryKind : ngx_uint_t { headers, envelope, http };
enum class Traces : ngx_uint_t { off, on, messages };
enum class StatusFormat : ngx_uint_t { by_request, json, prometheus, html };
enum class HeaderEncoding : ngx_uint_t { json, base64url };

struct ContextHeader {
    HeaderName name;  // empty: off
    HeaderEncoding encoding;
};

struct MessageRate {
    relay::Rate rate;  // none: off
    bool delay = false;
};

// ws_http_queue: what may wait for its turn.
struct HttpQueue {
    std::size_t messages = 64;
    std::size_t bytes = 1024 * 1024;
};

// Filled by nginx's own slot setters, so it stays a plain struct; lists are objects of the configuration's pool.
struct LocationConf {
    const HookUse* hook;  // its hook is null: off
    const RedisServer* redis;
    const std::vector<TokenSource>* tokens;
    const auth::CookieSecrets* secrets;                    // of signed cookies
    const std::vector<ngx_http_complex_value_t>* command;  // a Redis command as an argument vector
    const auth::JwtKeys* jwt_keys;
    const std::vector<std::string>* jwt_issuers;
    const std::vector<std::string>* jwt_audiences;
    ngx_msec_t jwt_leeway;
    ngx_flag_t plain;
    ngx_flag_t optional;
    ngx_uint_t fail_open;
    ngx_uint_t reject_close;
    ngx_flag_t strip_cookie;
    const websocket::OriginPolicy* origin;
    size_t max_session_size;
    ngx_flag_t live;
    ngx_uint_t live_headers_close;
    ngx_msec_t recheck;
    ngx_msec_t cache;
    const auth::Renewal* touch;  // a ttl of 0: off

    const std::vector<std::string>* select;  // null: all
    const std::vector<ContextField>* fields;
    const ContextHeader* header;
    size_t context_header_max;

    ngx_uint_t delivery;                           // DeliveryKind
    ngx_http_handler_pt proxy_handler;             // what ws_pass stands for; null without ws_pass
    const std::vector<std::string>* subprotocols;  // of which the gateway picks; empty: off
    ngx_uint_t envelope_json;
    ngx_uint_t envelope_context_always;
    ngx_flag_t envelope_replies;
    ngx_uint_t traceparent;    // Traces
    ngx_flag_t trace_sampled;  // one that begins here

    ngx_uint_t http_json;
    ngx_uint_t http_error;  // relay::HttpErrorPolicy
    ngx_uint_t http_concurrency;
    const HttpQueue* http_queue;
    ngx_uint_t http_max_requests;  // of the worker; 0: a share of its connections
    ngx_flag_t http_access_log;

    ngx_flag_t compression;
    ngx_uint_t compression_level;
    size_t compression_min_length;
    ngx_uint_t compression_window;  // bits

    size_t max_message_size;
    size_t max_pending;
    ngx_uint_t max_fragments;
    ngx_msec_t message_timeout;
    const MessageRate* message_rate;
    const relay::Rate* control_frame_rate;
    ngx_msec_t max_age;
    ngx_msec_t idle_timeout;
    ngx_msec_t close_timeout;
    ngx_msec_t ping_interval;
    ngx_msec_t pong_timeout;
    ngx_msec_t drain_timeout;

    ControlSettings* control;  // null without ws_control

    ngx_uint_t status_format;  // StatusFormat; unset without ws_status

    [[nodiscard]] bool has_hook() const noexcept { return hook != nullptr && hook->hook != nullptr; }
    [[nodiscard]] bool shows_status() const noexcept { return status_format != NGX_CONF_UNSET_UINT; }
    // Does the module act on requests of this location at all? A hook that ws_status or ws_control inherits doesn't.
    [[nodiscard]] bool active() const noexcept {
        return !shows_status() && control == nullptr &&
               (has_hook() || proxy_handler != nullptr || delivery_kind() == DeliveryKind::http);
    }
    // Bytes of JSON: in http delivery it goes with each request.
    [[nodiscard]] std::size_t max_http_context() const noexcept {
        if (header->name.empty()) { return max_session_size; }
        const std::size_t most =
            header->encoding == HeaderEncoding::json ? context_header_max : context_header_max / 4 * 3;
        return most < max_session_size ? most : max_session_size;
    }
    // Each takes a connection of the worker's for itself and, as a rule, one to the backend.
    [[nodiscard]] std::size_t most_http_requests() const noexcept {
        return http_max_requests != 0 ? http_max_requests : (ngx_cycle->connection_n + 3) / 4;
    }
    [[nodiscard]] DeliveryKind delivery_kind() const noexcept { return static_cast<DeliveryKind>(delivery); }
    [[nodiscard]] Traces traces() const noexcept { return static_cast<Traces>(traceparent); }
};

[[nodiscard]] inline const LocationConf& location_conf(ngx_http_request_t* r) noexcept {
    return *static_cast<LocationConf*>(ngx_http_get_module_loc_conf(r, ngx_http_ws_module));
}

// For ngx_http_module_t.
void* create_location_conf(ngx_conf_t* cf) noexcept;
char* merge_location_conf(ngx_conf_t* cf, void* parent, void* child) noexcept;

// The command table.
extern ngx_command_t directives[];

}  // namespace ws::nginx
