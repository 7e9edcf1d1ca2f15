#include "nginx/location_conf.h"

#include <algorithm>

#include "nginx/object.h"
#include "nginx/ws_control.h"
#include "nginx/ws_pass.h"
#include "nginx/ws_status.h"
#include "relay/http_delivery.h"

namespace ws::nginx {

namespace {

template <class T>
void inherit(T*& value, T* parent) noexcept {
    if (value == nullptr) { value = parent; }
}

ngx_http_complex_value_t compile(ngx_conf_t* cf, std::string_view text) {
    ngx_str_t value = copy(cf->pool, text);
    ngx_http_complex_value_t compiled{};
    ngx_http_compile_complex_value_t ccv{};
    ccv.cf = cf;
    ccv.value = &value;
    ccv.complex_value = &compiled;
    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) { throw std::bad_alloc(); }
    return compiled;
}

// What holds when no directive says otherwise.
void set_defaults(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.command == nullptr && conf.has_hook()) {
        auto* command = make_object<std::vector<ngx_http_complex_value_t>>(cf->pool);
        command->push_back(compile(cf, "GET"));
        command->push_back(compile(cf, "session:$ws_token"));
        conf.command = command;
    }
    if (!conf.active()) { return; }
    if (conf.origin == nullptr) {
        conf.origin = make_object<websocket::OriginPolicy>(cf->pool, websocket::OriginPolicy::same());
    }
    if (conf.header == nullptr) {
        conf.header =
            make_object<ContextHeader>(cf->pool, ContextHeader{HeaderName("X-WS-Context"), HeaderEncoding::json});
    }
}

char* check(ngx_conf_t* cf, const LocationConf& conf) {
    if (!conf.has_hook()) { return nullptr; }
    const ws_auth_hook_t& hook = *conf.hook->hook;
    if (conf.tokens == nullptr && (hook.flags & WS_AUTH_TOKEN_OPTIONAL) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_auth %s\" needs a token: add \"ws_auth_token cookie:NAME;\" at this level or above",
                           hook.name);
        return static_cast<char*>(NGX_CONF_ERROR);
    }
    const bool has_signed_cookie =
        conf.tokens != nullptr && std::ranges::any_of(*conf.tokens, [](const TokenSource& source) {
            return source.kind == TokenSource::Kind::signed_cookie;
        });
    if (has_signed_cookie && conf.secrets == nullptr) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_auth_token signed-cookie:NAME\" needs the secret that signs it: add "
                           "\"ws_auth_secret_file FILE;\" at this level or above");
        return static_cast<char*>(NGX_CONF_ERROR);
    }
    if (conf.touch != nullptr && conf.touch->ttl.count() > 0 && !conf.live) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_auth_touch\" needs \"ws_auth_live on\": add \"ws_auth_touch off;\" where it is off");
        return static_cast<char*>(NGX_CONF_ERROR);
    }
    HookRegistry::of(cf).note(hook, static_cast<ngx_http_conf_ctx_t*>(cf->ctx)->loc_conf);
    return nullptr;
}

}  // namespace

void* create_location_conf(ngx_conf_t* cf) noexcept {
    auto* conf = static_cast<LocationConf*>(ngx_pcalloc(cf->pool, sizeof(LocationConf)));
    if (conf == nullptr) { return nullptr; }
    conf->jwt_leeway = NGX_CONF_UNSET_MSEC;
    conf->plain = NGX_CONF_UNSET;
    conf->optional = NGX_CONF_UNSET;
    conf->fail_open = NGX_CONF_UNSET_UINT;
    conf->reject_close = NGX_CONF_UNSET_UINT;
    conf->strip_cookie = NGX_CONF_UNSET;
    conf->max_session_size = NGX_CONF_UNSET_SIZE;
    conf->live = NGX_CONF_UNSET;
    conf->live_headers_close = NGX_CONF_UNSET_UINT;
    conf->recheck = NGX_CONF_UNSET_MSEC;
    conf->cache = NGX_CONF_UNSET_MSEC;
    conf->context_header_max = NGX_CONF_UNSET_SIZE;
    conf->delivery = NGX_CONF_UNSET_UINT;
    conf->envelope_json = NGX_CONF_UNSET_UINT;
    conf->envelope_context_always = NGX_CONF_UNSET_UINT;
    conf->envelope_replies = NGX_CONF_UNSET;
    conf->traceparent = NGX_CONF_UNSET_UINT;
    conf->trace_sampled = NGX_CONF_UNSET;
    conf->http_json = NGX_CONF_UNSET_UINT;
    conf->http_error = NGX_CONF_UNSET_UINT;
    conf->http_concurrency = NGX_CONF_UNSET_UINT;
    conf->http_max_requests = NGX_CONF_UNSET_UINT;
    conf->http_access_log = NGX_CONF_UNSET;
    conf->compression = NGX_CONF_UNSET;
    conf->compression_level = NGX_CONF_UNSET_UINT;
    conf->compression_min_length = NGX_CONF_UNSET_SIZE;
    conf->compression_window = NGX_CONF_UNSET_UINT;
    conf->max_message_size = NGX_CONF_UNSET_SIZE;
    conf->max_pending = NGX_CONF_UNSET_SIZE;
    conf->max_fragments = NGX_CONF_UNSET_UINT;
    conf->message_timeout = NGX_CONF_UNSET_MSEC;
    conf->max_age = NGX_CONF_UNSET_MSEC;
    conf->idle_timeout = NGX_CONF_UNSET_MSEC;
    conf->close_timeout = NGX_CONF_UNSET_MSEC;
    conf->ping_interval = NGX_CONF_UNSET_MSEC;
    conf->pong_timeout = NGX_CONF_UNSET_MSEC;
    conf->drain_timeout = NGX_CONF_UNSET_MSEC;
    conf->status_format = NGX_CONF_UNSET_UINT;
    return conf;
}

char* merge_location_conf(ngx_conf_t* cf, void* parent, void* child) noexcept try {
    const auto& prev = *static_cast<LocationConf*>(parent);
    auto& conf = *static_cast<LocationConf*>(child);

    if (merge_ws_status(cf, prev, conf) != NGX_CONF_OK) { return static_cast<char*>(NGX_CONF_ERROR); }
    inherit(conf.redis, prev.redis);
    if (merge_ws_control(cf, prev, conf) != NGX_CONF_OK) { return static_cast<char*>(NGX_CONF_ERROR); }
    inherit(conf.hook, prev.hook);
    inherit(conf.tokens, prev.tokens);
    inherit(conf.secrets, prev.secrets);
    inherit(conf.command, prev.command);
    inherit(conf.jwt_keys, prev.jwt_keys);
    inherit(conf.jwt_issuers, prev.jwt_issuers);
    inherit(conf.jwt_audiences, prev.jwt_audiences);
    ngx_conf_merge_msec_value(conf.jwt_leeway, prev.jwt_leeway, 0);
    ngx_conf_merge_value(conf.plain, prev.plain, 0);
    ngx_conf_merge_value(conf.optional, prev.optional, 0);
    ngx_conf_merge_uint_value(conf.fail_open, prev.fail_open, 0);
    ngx_conf_merge_uint_value(conf.reject_close, prev.reject_close, 0);
    ngx_conf_merge_value(conf.strip_cookie, prev.strip_cookie, 0);
    inherit(conf.origin, prev.origin);
    ngx_conf_merge_size_value(conf.max_session_size, prev.max_session_size, 64 * 1024);

    ngx_conf_merge_value(conf.live, prev.live, 1);
    ngx_conf_merge_uint_value(conf.live_headers_close, prev.live_headers_close, 0);
    ngx_conf_merge_msec_value(conf.recheck, prev.recheck, 30 * 1000);
    ngx_conf_merge_msec_value(conf.cache, prev.cache, 0);
    inherit(conf.touch, prev.touch);

    inherit(conf.select, prev.select);
    inherit(conf.fields, prev.fields);
    inherit(conf.header, prev.header);
    inherit(conf.subprotocols, prev.subprotocols);
    ngx_conf_merge_size_value(conf.context_header_max, prev.context_header_max, 4 * 1024);

    ngx_conf_merge_uint_value(conf.delivery, prev.delivery, static_cast<ngx_uint_t>(DeliveryKind::headers));
    ngx_conf_merge_uint_value(conf.envelope_json, prev.envelope_json, 0);
    ngx_conf_merge_uint_value(conf.envelope_context_always, prev.envelope_context_always, 1);
    ngx_conf_merge_value(conf.envelope_replies, prev.envelope_replies, 0);
    ngx_conf_merge_uint_value(conf.traceparent, prev.traceparent, static_cast<ngx_uint_t>(Traces::off));
    ngx_conf_merge_value(conf.trace_sampled, prev.trace_sampled, 0);

    ngx_conf_merge_uint_value(conf.http_json, prev.http_json, 0);
    ngx_conf_merge_uint_value(conf.http_error, prev.http_error,
                              static_cast<ngx_uint_t>(relay::HttpErrorPolicy::ignore));
    ngx_conf_merge_uint_value(conf.http_concurrency, prev.http_concurrency, 1);
    inherit(conf.http_queue, prev.http_queue);
    ngx_conf_merge_uint_value(conf.http_max_requests, prev.http_max_requests, 0);
    ngx_conf_merge_value(conf.http_access_log, prev.http_access_log, 0);

    ngx_conf_merge_value(conf.compression, prev.compression, 0);
    ngx_conf_merge_uint_value(conf.compression_level, prev.compression_level, 1);
    ngx_conf_merge_size_value(conf.compression_min_length, prev.compression_min_length, 128);
    ngx_conf_merge_uint_value(conf.compression_window, prev.compression_window, 12);

    ngx_conf_merge_size_value(conf.max_message_size, prev.max_message_size, 1024 * 1024);
    ngx_conf_merge_size_value(conf.max_pending, prev.max_pending, 0);
    ngx_conf_merge_uint_value(conf.max_fragments, prev.max_fragments, 100000);
    ngx_conf_merge_msec_value(conf.message_timeout, prev.message_timeout, 60 * 1000);
    inherit(conf.message_rate, prev.message_rate);
    inherit(conf.control_frame_rate, prev.control_frame_rate);
    ngx_conf_merge_msec_value(conf.max_age, prev.max_age, 0);
    ngx_conf_merge_msec_value(conf.idle_timeout, prev.idle_timeout, 0);
    ngx_conf_merge_msec_value(conf.close_timeout, prev.close_timeout, 10 * 1000);
    ngx_conf_merge_msec_value(conf.ping_interval, prev.ping_interval, 30 * 1000);
    ngx_conf_merge_msec_value(conf.pong_timeout, prev.pong_timeout, 10 * 1000);
    ngx_conf_merge_msec_value(conf.drain_timeout, prev.drain_timeout, 30 * 1000);

    if (merge_ws_pass(cf, prev, conf) != NGX_CONF_OK) { return static_cast<char*>(NGX_CONF_ERROR); }
    set_defaults(cf, conf);
    return check(cf, conf);
} catch (...) { return static_cast<char*>(NGX_CONF_ERROR); }

}  // namespace ws::nginx
