#include "nginx/location_conf.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "nginx/auth_setters.h"
#include "nginx/context_setters.h"
#include "nginx/jwt_hook.h"
#include "nginx/object.h"
#include "nginx/ws_control.h"
#include "nginx/ws_pass.h"
#include "nginx/ws_status.h"
#include "relay/http_delivery.h"
#include "websocket/header_value.h"

namespace ws::nginx {

namespace {

// Such as 10/s or 90/m.
std::optional<std::uint32_t> per_minute(std::string_view text) noexcept {
    const bool seconds = text.ends_with("/s");
    if (!seconds && !text.ends_with("/m")) { return std::nullopt; }
    const ngx_int_t number = ngx_atoi(reinterpret_cast<u_char*>(const_cast<char*>(text.data())),
                                      text.size() - std::string_view("/s").size());
    if (number < 1 || number > 1'000'000) { return std::nullopt; }
    return static_cast<std::uint32_t>(seconds ? 60 * number : number);
}

// RATE [burst=NUMBER], or off; in `words` only. Null, or the error.
char* set_rate(ngx_conf_t* cf, std::span<const ngx_str_t> words, relay::Rate& rate) {
    static constexpr std::string_view name = "burst=";
    if (view(words[0]) == "off" && words.size() == 1) { return ok(); }
    const auto number = per_minute(view(words[0]));
    if (!number) { return wrong_value(cf, view(words[0]), "off, or a rate such as 10/s or 90/m"); }
    rate = {*number, std::max<std::uint32_t>(*number / 60, 1)};
    if (words.size() == 1) { return ok(); }
    const std::string_view value = view(words[1]);
    const std::string_view digits = value.substr(std::min(name.size(), value.size()));
    const ngx_int_t burst = value.starts_with(name)
                                ? ngx_atoi(reinterpret_cast<u_char*>(const_cast<char*>(digits.data())), digits.size())
                                : NGX_ERROR;
    if (words.size() > 2 || burst < 1 || burst > 1'000'000) {
        return wrong_value(cf, view(words.back()), "burst=NUMBER, from 1 to 1000000");
    }
    rate.burst = static_cast<std::uint32_t>(burst);
    return ok();
}

char* set_message_rate(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.message_rate != nullptr) { return error(cf, "is duplicate"); }
    auto words = parameters(cf);
    MessageRate limit;
    if (words.size() > 1 && view(words.back()) == "delay") {
        limit.delay = true;
        words = words.first(words.size() - 1);
    }
    if (char* result = set_rate(cf, words, limit.rate); result != ok()) { return result; }
    conf.message_rate = make_object<MessageRate>(cf->pool, limit);
    return ok();
}

char* set_control_frame_rate(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.control_frame_rate != nullptr) { return error(cf, "is duplicate"); }
    relay::Rate rate;
    if (char* result = set_rate(cf, parameters(cf), rate); result != ok()) { return result; }
    conf.control_frame_rate = make_object<relay::Rate>(cf->pool, rate);
    return ok();
}

// MESSAGES [SIZE].
char* set_http_queue(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.http_queue != nullptr) { return error(cf, "is duplicate"); }
    const auto params = parameters(cf);
    const ngx_int_t messages = ngx_atoi(params[0].data, params[0].len);
    if (messages < 1 || messages > 1'000'000) {
        return wrong_value(cf, view(params[0]), "a number of messages from 1 to 1000000, and a size");
    }
    HttpQueue queue;
    queue.messages = static_cast<std::size_t>(messages);
    if (params.size() > 1) {
        ngx_str_t text = params[1];
        const ssize_t size = ngx_parse_size(&text);
        if (size <= 0) { return wrong_value(cf, view(text), "a size above 0, such as 64k or 1m"); }
        queue.bytes = static_cast<std::size_t>(size);
    }
    conf.http_queue = make_object<HttpQueue>(cf->pool, queue);
    return ok();
}

// NAME ..., or off.
char* set_subprotocol(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.subprotocols != nullptr) { return error(cf, "is duplicate"); }
    const auto params = parameters(cf);
    auto* names = make_object<std::vector<std::string>>(cf->pool);
    if (params.size() > 1 || view(params[0]) != "off") {
        for (const ngx_str_t& param : params) {
            if (!websocket::is_token(view(param)) || std::ranges::find(*names, view(param)) != names->end()) {
                return wrong_value(cf, view(param), "off, or names of subprotocols, each once");
            }
            names->emplace_back(view(param));
        }
    }
    conf.subprotocols = names;
    return ok();
}

constexpr std::array<Choice, 3> deliveries{{
    {"headers", static_cast<ngx_uint_t>(DeliveryKind::headers)},
    {"envelope", static_cast<ngx_uint_t>(DeliveryKind::envelope)},
    {"http", static_cast<ngx_uint_t>(DeliveryKind::http)},
}};
constexpr std::array<Choice, 3> http_errors{{
    {"ignore", static_cast<ngx_uint_t>(relay::HttpErrorPolicy::ignore)},
    {"message", static_cast<ngx_uint_t>(relay::HttpErrorPolicy::message)},
    {"close", static_cast<ngx_uint_t>(relay::HttpErrorPolicy::close)},
}};
constexpr std::array<Choice, 2> envelope_data{{{"string", 0}, {"json", 1}}};
constexpr std::array<Choice, 2> envelope_context{{{"changed", 0}, {"always", 1}}};
constexpr std::array<Choice, 2> auth_fail{{{"closed", 0}, {"open", 1}}};
constexpr std::array<Choice, 2> auth_reject{{{"http", 0}, {"close", 1}}};
constexpr std::array<Choice, 3> traces{{
    {"off", static_cast<ngx_uint_t>(Traces::off)},
    {"on", static_cast<ngx_uint_t>(Traces::on)},
    {"messages", static_cast<ngx_uint_t>(Traces::messages)},
}};
constexpr std::array<Choice, 2> live_headers{{{"keep", 0}, {"close", 1}}};

// off, or on | messages [sampled].
char* set_traceparent(ngx_conf_t* cf, LocationConf& conf) {
    if (char* result = set_choice<&LocationConf::traceparent, traces>(cf, conf); result != ok()) { return result; }
    const auto params = parameters(cf);
    conf.trace_sampled = params.size() > 1;
    if (params.size() > 1 && (view(params[1]) != "sampled" || conf.traces() == Traces::off)) {
        return wrong_value(cf, view(params[1]), "sampled, after on or messages");
    }
    return ok();
}

constexpr ngx_uint_t everywhere = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

constexpr ngx_command_t own(ngx_str_t name, ngx_uint_t arguments, char* (*set)(ngx_conf_t*, ngx_command_t*, void*)) {
    return {name, everywhere | arguments, set, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr};
}

constexpr ngx_command_t flag(ngx_str_t name, std::size_t offset) {
    return {name, everywhere | NGX_CONF_FLAG, ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, offset, nullptr};
}

}  // namespace

ngx_command_t directives[] = {
    own(ngx_string("ws_redis"), NGX_CONF_1MORE, guarded<set_redis>),
    own(ngx_string("ws_auth"), NGX_CONF_1MORE, guarded<set_auth>),
    own(ngx_string("ws_auth_token"), NGX_CONF_1MORE, guarded<set_tokens>),
    own(ngx_string("ws_auth_secret_file"), NGX_CONF_TAKE1, guarded<set_secret_file>),
    own(ngx_string("ws_auth_key"), NGX_CONF_TAKE1, guarded<set_key>),
    own(ngx_string("ws_auth_redis_command"), NGX_CONF_2MORE, guarded<set_command>),
    own(ngx_string("ws_jwt_key_file"), NGX_CONF_TAKE12, guarded<add_jwt_key_file>),
    own(ngx_string("ws_jwt_issuer"), NGX_CONF_1MORE, guarded<set_jwt_issuer>),
    own(ngx_string("ws_jwt_audience"), NGX_CONF_1MORE, guarded<set_jwt_audience>),
    own(ngx_string("ws_jwt_leeway"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::jwt_leeway, true>>),
    flag(ngx_string("ws_auth_plain"), offsetof(LocationConf, plain)),
    flag(ngx_string("ws_auth_optional"), offsetof(LocationConf, optional)),
    own(ngx_string("ws_auth_fail"), NGX_CONF_TAKE1, guarded<set_choice<&LocationConf::fail_open, auth_fail>>),
    own(ngx_string("ws_auth_reject"), NGX_CONF_TAKE1, guarded<set_choice<&LocationConf::reject_close, auth_reject>>),
    flag(ngx_string("ws_auth_strip_cookie"), offsetof(LocationConf, strip_cookie)),
    own(ngx_string("ws_origin"), NGX_CONF_1MORE, guarded<set_origin>),
    flag(ngx_string("ws_auth_live"), offsetof(LocationConf, live)),
    own(ngx_string("ws_auth_live_headers"), NGX_CONF_TAKE1,
        guarded<set_choice<&LocationConf::live_headers_close, live_headers>>),
    own(ngx_string("ws_auth_recheck"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::recheck, false>>),
    own(ngx_string("ws_auth_cache"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::cache, true>>),
    own(ngx_string("ws_auth_touch"), NGX_CONF_TAKE12, guarded<set_touch>),
    own(ngx_string("ws_max_session_size"), NGX_CONF_TAKE1, guarded<set_max_session_size>),
    own(ngx_string("ws_context_select"), NGX_CONF_ANY, guarded<set_select>),
    own(ngx_string("ws_context_field"), NGX_CONF_TAKE23, guarded<add_field>),
    own(ngx_string("ws_context_header"), NGX_CONF_TAKE12, guarded<set_header>),
    own(ngx_string("ws_context_header_max"), NGX_CONF_TAKE1, guarded<set_size<&LocationConf::context_header_max>>),
    own(ngx_string("ws_delivery"), NGX_CONF_TAKE1, guarded<set_choice<&LocationConf::delivery, deliveries>>),
    {ngx_string("ws_pass"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1, set_ws_pass, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    own(ngx_string("ws_subprotocol"), NGX_CONF_1MORE, guarded<set_subprotocol>),
    own(ngx_string("ws_envelope_data"), NGX_CONF_TAKE1,
        guarded<set_choice<&LocationConf::envelope_json, envelope_data>>),
    own(ngx_string("ws_envelope_context"), NGX_CONF_TAKE1,
        guarded<set_choice<&LocationConf::envelope_context_always, envelope_context>>),
    flag(ngx_string("ws_envelope_replies"), offsetof(LocationConf, envelope_replies)),
    own(ngx_string("ws_traceparent"), NGX_CONF_TAKE12, guarded<set_traceparent>),
    own(ngx_string("ws_http_data"), NGX_CONF_TAKE1, guarded<set_choice<&LocationConf::http_json, envelope_data>>),
    own(ngx_string("ws_http_error"), NGX_CONF_TAKE1, guarded<set_choice<&LocationConf::http_error, http_errors>>),
    own(ngx_string("ws_http_concurrency"), NGX_CONF_TAKE1,
        guarded<set_number<&LocationConf::http_concurrency, 1, 1000>>),
    own(ngx_string("ws_http_queue"), NGX_CONF_TAKE12, guarded<set_http_queue>),
    own(ngx_string("ws_http_max_requests"), NGX_CONF_TAKE1,
        guarded<set_number<&LocationConf::http_max_requests, 1, 1000000>>),
    flag(ngx_string("ws_http_access_log"), offsetof(LocationConf, http_access_log)),
    flag(ngx_string("ws_compression"), offsetof(LocationConf, compression)),
    own(ngx_string("ws_compression_level"), NGX_CONF_TAKE1,
        guarded<set_number<&LocationConf::compression_level, 1, 9>>),
    own(ngx_string("ws_compression_min_length"), NGX_CONF_TAKE1,
        guarded<set_size<&LocationConf::compression_min_length>>),
    own(ngx_string("ws_compression_window"), NGX_CONF_TAKE1,
        guarded<set_number<&LocationConf::compression_window, 9, 15>>),
    own(ngx_string("ws_max_message_size"), NGX_CONF_TAKE1, guarded<set_size<&LocationConf::max_message_size>>),
    own(ngx_string("ws_max_pending"), NGX_CONF_TAKE1, guarded<set_size<&LocationConf::max_pending, true>>),
    own(ngx_string("ws_max_fragments"), NGX_CONF_TAKE1, guarded<set_number<&LocationConf::max_fragments, 1, 1000000>>),
    own(ngx_string("ws_message_timeout"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::message_timeout, true>>),
    own(ngx_string("ws_message_rate"), NGX_CONF_TAKE123, guarded<set_message_rate>),
    own(ngx_string("ws_control_frame_rate"), NGX_CONF_TAKE12, guarded<set_control_frame_rate>),
    own(ngx_string("ws_max_age"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::max_age, true>>),
    own(ngx_string("ws_idle_timeout"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::idle_timeout, true>>),
    own(ngx_string("ws_close_timeout"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::close_timeout, false>>),
    own(ngx_string("ws_ping_interval"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::ping_interval, true>>),
    own(ngx_string("ws_pong_timeout"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::pong_timeout, false>>),
    own(ngx_string("ws_drain_timeout"), NGX_CONF_TAKE1, guarded<set_time<&LocationConf::drain_timeout, true>>),
    {ngx_string("ws_status"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1, set_ws_status,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    {ngx_string("ws_control"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE12, set_ws_control,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
    ngx_null_command,
};

}  // namespace ws::nginx
