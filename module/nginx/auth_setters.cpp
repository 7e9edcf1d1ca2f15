#include "nginx/auth_setters.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <vector>

#include "nginx/object.h"
#include "redis/command_keys.h"
#include "redis/pipeline.h"
#include "websocket/header_value.h"

namespace ws::nginx {

// NAME [ARGUMENT ...], or off.
char* set_auth(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.hook != nullptr) { return error(cf, "is duplicate"); }
    const auto params = parameters(cf);
    const std::string_view name = view(params[0]);
    const std::size_t given = params.size() - 1;
    const HookRegistry& registry = HookRegistry::of(cf);
    const ws_auth_hook_t* hook = registry.find(name);
    if (hook == nullptr && name != "off") { return wrong_value(cf, name, registry.choices()); }
    const std::size_t least = hook != nullptr ? hook->min_arguments : 0;
    const std::size_t most = hook != nullptr ? hook->max_arguments : 0;
    if (given < least || given > most) {
        const std::string numbers = std::to_string(least) + (least < most ? " to " + std::to_string(most) : "");
        return error(cf, "has a wrong number of arguments after \"" + std::string(name) + "\": it must be " + numbers);
    }
    auto* use = make_object<HookUse>(cf->pool, HookUse{hook, {}});
    for (const ngx_str_t& argument : params.subspan(1)) {
        const ngx_http_complex_value_t* compiled = compile(cf, argument);
        if (compiled == nullptr) { return static_cast<char*>(NGX_CONF_ERROR); }
        use->arguments.push_back(*compiled);
    }
    conf.hook = use;
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
        } else if (kind == "cookie" && websocket::is_token(name)) {
            tokens->push_back({TokenSource::Kind::cookie, std::string(name)});
        } else if (kind == "signed-cookie" && websocket::is_token(name)) {
            tokens->push_back({TokenSource::Kind::signed_cookie, std::string(name)});
        } else if (kind == "arg" && !name.empty()) {
            tokens->push_back({TokenSource::Kind::argument, std::string(name)});
        } else if (kind == "subprotocol" && websocket::is_token(name)) {
            tokens->push_back({TokenSource::Kind::subprotocol, std::string(name)});
        } else if (kind == "header" && websocket::is_token(name)) {
            tokens->push_back({TokenSource::Kind::header, std::string(name)});
        } else {
            return error(cf, "has a wrong source \"" + std::string(source) +
                                 "\": it must be cookie:NAME, signed-cookie:NAME, arg:NAME, header:NAME, "
                                 "subprotocol:PREFIX or bearer");
        }
    }
    conf.tokens = tokens;
    return ok();
}

char* set_secret_file(ngx_conf_t* cf, LocationConf& conf) {
    static constexpr std::size_t largest = 64 * 1024;
    if (conf.secrets != nullptr) { return error(cf, "is duplicate"); }
    ngx_str_t path = parameters(cf)[0];
    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) { throw std::bad_alloc(); }
    const std::string name(view(path));
    std::string text(largest + 1, '\0');
    std::ifstream file(name, std::ios::binary);
    if (file) { file.read(text.data(), static_cast<std::streamsize>(text.size())); }
    if (file.bad() || !file.eof()) {
        return error(cf, "can't read \"" + name + "\": it must be a file of at most 64k with a secret in each line");
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    auto* secrets = make_object<auth::CookieSecrets>(cf->pool, text);
    if (secrets->empty()) { return error(cf, "has no secret in \"" + name + "\": put one in each line"); }
    conf.secrets = secrets;
    return ok();
}

namespace {

char* add_command(ngx_conf_t* cf, LocationConf& conf, std::span<const ngx_str_t> words) {
    if (conf.command != nullptr) { return error(cf, "is duplicate: one ws_auth_key or ws_auth_redis_command a level"); }
    auto* command = make_object<std::vector<ngx_http_complex_value_t>>(cf->pool);
    for (const ngx_str_t& word : words) {
        const ngx_http_complex_value_t* compiled = compile(cf, word);
        if (compiled == nullptr) { return static_cast<char*>(NGX_CONF_ERROR); }
        command->push_back(*compiled);
    }
    if (std::ranges::all_of(*command, [](const auto& word) { return word.lengths == nullptr; })) {
        return error(cf, "names one key for everybody: put $ws_token (or another variable) in it");
    }
    conf.command = command;
    return ok();
}

}  // namespace

char* set_key(ngx_conf_t* cf, LocationConf& conf) {
    const std::array<ngx_str_t, 2> words{ngx_str_t ngx_string("GET"), parameters(cf)[0]};
    return add_command(cf, conf, words);
}

char* set_command(ngx_conf_t* cf, LocationConf& conf) {
    const std::span<const ngx_str_t> params = parameters(cf);
    ngx_str_t verb = copy(cf->pool, view(params[0]));
    std::transform(verb.data, verb.data + verb.len, verb.data, [](u_char c) { return ngx_toupper(c); });
    const bool is_name = std::ranges::all_of(
        view(verb), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_'; });
    if (!is_name || !redis::may_look_up(view(verb))) {
        return error(cf, "has a wrong command \"" + std::string(view(params[0])) +
                             "\": it must be one that reads, such as GET, HGETALL, HMGET, EVALSHA");
    }
    if (redis::is_script(view(verb))) {
        const std::size_t words = params.size() - 2;  // behind the script
        const ngx_int_t keys = words > 0 ? ngx_atoi(params[2].data, params[2].len) : NGX_ERROR;
        if (keys == NGX_ERROR || static_cast<std::size_t>(keys) > words - 1) {
            return error(cf, "has a wrong number of keys: it must be " + std::string(view(verb)) +
                                 " SCRIPT NUMBER KEY ... ARGUMENT ..., with as many keys as NUMBER says");
        }
    }
    std::vector<ngx_str_t> words(params.begin(), params.end());
    words[0] = verb;
    return add_command(cf, conf, words);
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

}  // namespace ws::nginx
