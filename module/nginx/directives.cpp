#include "nginx/location_conf.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <span>

#include "nginx/object.h"
#include "nginx/setters.h"
#include "nginx/ws_pass.h"
#include "redis/pipeline.h"

namespace ws::nginx {

namespace {

// An HTTP token (RFC 9110 5.6.2): what cookies and headers may be called.
bool is_http_token(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
    });
}

ngx_http_complex_value_t* compile(ngx_conf_t* cf, const ngx_str_t& text) {
    auto* compiled = static_cast<ngx_http_complex_value_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
    if (compiled == nullptr) { throw std::bad_alloc(); }
    ngx_str_t value = text;
    ngx_http_compile_complex_value_t ccv{};
    ccv.cf = cf;
    ccv.value = &value;
    ccv.complex_value = compiled;
    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? compiled : nullptr;
}

// A reply of Redis is never larger (redis/pipeline.h).
char* set_max_session_size(ngx_conf_t* cf, LocationConf& conf) {
    char* result = set_size<&LocationConf::max_session_size>(cf, conf);
    if (result == ok() && conf.max_session_size > redis::Pipeline::default_max_reply) {
        return wrong_value(cf, view(parameters(cf)[0]), "at most 1m");
    }
    return result;
}

// TTL [interval=TIME], or off.
char* set_touch(ngx_conf_t* cf, LocationConf& conf) {
    static constexpr std::string_view name = "interval=";
    if (conf.touch != nullptr) { return error(cf, "is duplicate"); }
    const auto params = parameters(cf);
    auth::Renewal renewal;
    if (params.size() > 1 || view(params[0]) != "off") {
        ngx_str_t text = params[0];
        const ngx_int_t ttl = ngx_parse_time(&text, 0);
        if (ttl == NGX_ERROR || ttl < 2000) { return wrong_value(cf, view(text), "off, or a time of at least 2s"); }
        ngx_int_t interval = ttl / 10;
        if (params.size() > 1) {
            const std::string_view value = view(params[1]);
            text = {params[1].len - std::min(name.size(), value.size()),
                    params[1].data + std::min(name.size(), value.size())};
            interval = value.starts_with(name) ? ngx_parse_time(&text, 0) : NGX_ERROR;
            if (interval == NGX_ERROR || interval < 100 || interval > ttl / 2) {
                return wrong_value(cf, value, "interval=TIME, from 100ms to half of the time to live");
            }
        }
        renewal = {auth::Milliseconds(ttl), auth::Milliseconds(interval)};
    }
    conf.touch = make_object<auth::Renewal>(cf->pool, renewal);
    return ok();
}

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

char* set_redis(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.redis != nullptr) { return error(cf, "is duplicate"); }
    auto* server = make_object<RedisServer>(cf->pool);
    const char* wrong = parse_redis_server(cf, parameters(cf), *server);
    if (wrong != nullptr) { return error(cf, wrong); }
    conf.redis = server;
    return ok();
}

char* set_tokens(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.tokens != nullptr) { return error(cf, "is duplicate"); }
    auto* tokens = make_object<std::vector<TokenSource>>(cf->pool);
    for (const ngx_str_t& param : parameters(cf)) {
        const std::string_view source = view(param);
        const std::size_t colon = source.find(':');
        const std::string_view kind = source.substr(0, colon);
        const std::string_view name = colon == std::string_view::npos ? std::string_view{} : source.substr(colon + 1);
        if (source == "bearer") {
            tokens->push_back({TokenSource::Kind::bearer, {}});
        } else if (kind == "cookie" && is_http_token(name)) {
            tokens->push_back({TokenSource::Kind::cookie, std::string(name)});
        } else if (kind == "arg" && !name.empty()) {
            tokens->push_back({TokenSource::Kind::argument, std::string(name)});
        } else if (kind == "header" && is_http_token(name)) {
            tokens->push_back({TokenSource::Kind::header, std::string(name)});
        } else {
            return error(cf, "has a wrong source \"" + std::string(source) +
                                 "\": it must be cookie:NAME, arg:NAME, header:NAME or bearer");
        }
    }
    conf.tokens = tokens;
    return ok();
}

char* add_command(ngx_conf_t* cf, LocationConf& conf, std::span<const ngx_str_t> words) {
    if (conf.command != nullptr) { return error(cf, "is duplicate: one ws_auth_key or ws_auth_redis_command a level"); }
    auto* command = make_object<std::vector<ngx_http_complex_value_t>>(cf->pool);
    for (const ngx_str_t& word : words) {
        const ngx_http_complex_value_t* compiled = compile(cf, word);
        if (compiled == nullptr) { return static_cast<char*>(NGX_CONF_ERROR); }
        command->push_back(*compiled);
    }
    if ((*command)[1].lengths == nullptr) {
        return error(cf, "names one key for everybody: put $ws_token (or another variable) in it");
    }
    conf.command = command;
    return ok();
}

char* set_key(ngx_conf_t* cf, LocationConf& conf) {
    const std::array<ngx_str_t, 2> words{ngx_str_t ngx_string("GET"), parameters(cf)[0]};
    return add_command(cf, conf, words);
}

char* set_command(ngx_conf_t* cf, LocationConf& conf) {
    const std::string_view verb = view(parameters(cf)[0]);
    if (verb != "GET" && verb != "HGETALL") {
        return error(cf, "has a wrong command \"" + std::string(verb) + "\": it must be GET KEY or HGETALL KEY");
    }
    return add_command(cf, conf, parameters(cf));
}

char* set_origin(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.origin != nullptr) { return error(cf, "is duplicate"); }
    const auto params = parameters(cf);
    auto policy = websocket::OriginPolicy::listed();
    if (params.size() == 1 && view(params[0]) == "same") {
        policy = websocket::OriginPolicy::same();
    } else if (params.size() == 1 && view(params[0]) == "any") {
        policy = websocket::OriginPolicy::any();
    } else {
        for (const ngx_str_t& param : params) {
            if (view(param) == "same" || view(param) == "any" || !policy.add(view(param))) {
                return error(cf, "has a wrong origin \"" + std::string(view(param)) +
                                     "\": it must be same, any, or a list of [http[s]://]HOST[:PORT], where HOST may "
                                     "begin with \"*.\"");
            }
        }
    }
    conf.origin = make_object<websocket::OriginPolicy>(cf->pool, std::move(policy));
    return ok();
}

char* set_select(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.select != nullptr) { return error(cf, "is duplicate"); }
    auto* select = make_object<std::vector<std::string>>(cf->pool);
    for (const ngx_str_t& path : parameters(cf)) {
        if (path.len == 0 || path.data[0] == '$') {
            return wrong_value(cf, view(path), "paths in the session, such as user.id");
        }
        select->emplace_back(view(path));
    }
    conf.select = select;
    return ok();
}

std::optional<context::FieldType> field_type(std::string_view name) noexcept {
    if (name == "string") { return context::FieldType::string; }
    if (name == "number") { return context::FieldType::number; }
    if (name == "boolean") { return context::FieldType::boolean; }
    if (name == "json") { return context::FieldType::json; }
    return std::nullopt;
}

// Does it name $ws_session itself, and not another variable whose name begins so?
bool mentions_session(std::string_view text) noexcept {
    static constexpr std::string_view name = "ws_session";
    for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        const std::string_view before = text.substr(0, at);
        const std::string_view rest = text.substr(at + name.size());
        const bool longer = !rest.empty() && (std::isalnum(static_cast<unsigned char>(rest[0])) != 0 || rest[0] == '_');
        if (!longer && (before.ends_with('$') || before.ends_with("${"))) { return true; }
    }
    return false;
}

// What can be known of a field before there is a session: is its name one, and does a text without variables fit its type?
bool can_be_built(const ContextField& field, std::string_view text) {
    const bool constant = field.value != nullptr && field.value->lengths == nullptr;
    const context::Field known =
        constant ? context::FieldValue{field.name, field.type.value_or(context::FieldType::string), std::string(text)}
                 : context::FieldValue{field.name, context::FieldType::string, {}};
    return context::Recipe{}.build(std::string_view("{}"), std::span(&known, 1)).error == context::BuildError::none;
}

// VALUE of ws_context_field: null, or the error.
char* set_field_value(ngx_conf_t* cf, ContextField& field, const ngx_str_t& text) {
    static constexpr std::string_view session = "$ws_session.";
    const std::string_view value = view(text);
    if (value.starts_with(session)) {
        field.session_path = value.substr(session.size());
        if (field.session_path.empty() || field.session_path.find('$') != std::string::npos) {
            return error(cf, "has a wrong path: it must be like $ws_session.user.id, with nothing else in the value");
        }
        return ok();
    }
    if (mentions_session(value)) { return error(cf, "has a wrong value: $ws_session.PATH must be the whole of it"); }
    field.value = compile(cf, text);
    return field.value != nullptr ? ok() : static_cast<char*>(NGX_CONF_ERROR);
}

char* add_field(ngx_conf_t* cf, LocationConf& conf) {
    const auto params = parameters(cf);
    ContextField field{std::string(view(params[0])), std::nullopt, {}, nullptr};
    if (params.size() == 3) {
        field.type = field_type(view(params[2]));
        if (!field.type) {
            return error(cf, "has a wrong type \"" + std::string(view(params[2])) +
                                 "\": it must be string, number, boolean or json");
        }
    }
    if (char* result = set_field_value(cf, field, params[1]); result != ok()) { return result; }
    if (field.name.empty() || !can_be_built(field, view(params[1]))) {
        return error(cf, "can't be built: NAME must be a member's name in UTF-8, and VALUE must fit its type");
    }
    // Only this level's list is ever written to: it becomes read-only when levels are merged.
    auto* fields = const_cast<std::vector<ContextField>*>(conf.fields);
    if (fields == nullptr) {
        fields = make_object<std::vector<ContextField>>(cf->pool);
        conf.fields = fields;
    }
    if (std::ranges::any_of(*fields, [&field](const ContextField& f) { return f.name == field.name; })) {
        return error(cf, "sets \"" + field.name + "\" twice");
    }
    fields->push_back(std::move(field));
    return ok();
}

// Headers that HTTP, nginx or this module give their own values.
bool is_taken(std::string_view name) {
    std::string lower(name);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    static constexpr std::array<std::string_view, 12> taken{
        "connection", "content-length",    "content-type", "cookie",  "expect",
        "host",       "keep-alive",        "te",           "trailer", "transfer-encoding",
        "upgrade",    "x-ws-connection-id"};
    return std::ranges::find(taken, lower) != taken.end() || lower.starts_with("sec-websocket-");
}

char* set_header(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.header != nullptr) { return error(cf, "is duplicate"); }
    const auto params = parameters(cf);
    ContextHeader header{std::string(view(params[0])), HeaderEncoding::json};
    if (!is_http_token(header.name) || is_taken(header.name)) {
        return wrong_value(cf, header.name, "off, or the name of a header that has no other meaning");
    }
    if (header.name == "off") { header.name.clear(); }
    if (params.size() == 2) {
        const std::string_view encoding = view(params[1]);
        if (encoding != "json" && encoding != "base64url") {
            return error(cf, "has a wrong encoding \"" + std::string(encoding) + "\": it must be json or base64url");
        }
        if (encoding == "base64url") { header.encoding = HeaderEncoding::base64url; }
    }
    conf.header = make_object<ContextHeader>(cf->pool, std::move(header));
    return ok();
}

constexpr std::array<Choice, 2> hooks{{
    {"off", static_cast<ngx_uint_t>(HookKind::off)},
    {"redis", static_cast<ngx_uint_t>(HookKind::redis)},
}};
constexpr std::array<Choice, 2> deliveries{{
    {"headers", static_cast<ngx_uint_t>(DeliveryKind::headers)},
    {"envelope", static_cast<ngx_uint_t>(DeliveryKind::envelope)},
}};
constexpr std::array<Choice, 2> envelope_data{{{"string", 0}, {"json", 1}}};
constexpr std::array<Choice, 2> envelope_context{{{"changed", 0}, {"always", 1}}};
constexpr std::array<Choice, 2> live_headers{{{"keep", 0}, {"close", 1}}};

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
    own(ngx_string("ws_auth"), NGX_CONF_TAKE1, guarded<set_choice<&LocationConf::auth, hooks>>),
    own(ngx_string("ws_auth_token"), NGX_CONF_1MORE, guarded<set_tokens>),
    own(ngx_string("ws_auth_key"), NGX_CONF_TAKE1, guarded<set_key>),
    own(ngx_string("ws_auth_redis_command"), NGX_CONF_TAKE2, guarded<set_command>),
    flag(ngx_string("ws_auth_plain"), offsetof(LocationConf, plain)),
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
    own(ngx_string("ws_envelope_data"), NGX_CONF_TAKE1,
        guarded<set_choice<&LocationConf::envelope_json, envelope_data>>),
    own(ngx_string("ws_envelope_context"), NGX_CONF_TAKE1,
        guarded<set_choice<&LocationConf::envelope_context_always, envelope_context>>),
    flag(ngx_string("ws_envelope_replies"), offsetof(LocationConf, envelope_replies)),
    flag(ngx_string("ws_compression"), offsetof(LocationConf, compression)),
    own(ngx_string("ws_compression_level"), NGX_CONF_TAKE1,
        guarded<set_number<&LocationConf::compression_level, 1, 9>>),
    own(ngx_string("ws_compression_min_length"), NGX_CONF_TAKE1,
        guarded<set_size<&LocationConf::compression_min_length>>),
    own(ngx_string("ws_compression_window"), NGX_CONF_TAKE1,
        guarded<set_number<&LocationConf::compression_window, 9, 15>>),
    own(ngx_string("ws_max_message_size"), NGX_CONF_TAKE1, guarded<set_size<&LocationConf::max_message_size>>),
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
    ngx_null_command,
};

}  // namespace ws::nginx
