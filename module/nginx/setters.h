// What setters of directives have in common: their parameters, their errors for `nginx -t`, and the plain kinds of values.
#pragma once

#include "nginx/ngx.h"

#include <span>
#include <string>
#include <string_view>

#include "nginx/location_conf.h"

namespace ws::nginx {

// The text of an error for `nginx -t`; nginx puts the directive's name in front of it.
inline char* error(ngx_conf_t* cf, std::string_view text) { return reinterpret_cast<char*>(copy(cf->pool, text).data); }

inline char* ok() noexcept { return NGX_CONF_OK; }

inline std::span<const ngx_str_t> parameters(const ngx_conf_t* cf) noexcept {
    const auto* args = static_cast<const ngx_str_t*>(cf->args->elts);
    return {args + 1, cf->args->nelts - 1};
}

// A directive's setter: a bad_alloc must not reach nginx.
template <char* (*set)(ngx_conf_t*, LocationConf&)>
char* guarded(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept try {
    return set(cf, *static_cast<LocationConf*>(conf));
} catch (...) { return static_cast<char*>(NGX_CONF_ERROR); }

inline char* wrong_value(ngx_conf_t* cf, std::string_view value, std::string_view what_is_right) {
    return error(cf, "has a wrong value \"" + std::string(value) + "\": it must be " + std::string(what_is_right));
}

struct Choice {
    std::string_view name;
    ngx_uint_t value;
};

template <ngx_uint_t LocationConf::*field, const auto& choices>
char* set_choice(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.*field != NGX_CONF_UNSET_UINT) { return error(cf, "is duplicate"); }
    const std::string_view name = view(parameters(cf)[0]);
    std::string right;
    for (const Choice& choice : choices) {
        if (choice.name == name) {
            conf.*field = choice.value;
            return ok();
        }
        right.append(right.empty() ? "" : " or ").append(choice.name);
    }
    return wrong_value(cf, name, right);
}

// A value with variables; null when nginx refuses it, and has said why.
inline ngx_http_complex_value_t* compile(ngx_conf_t* cf, const ngx_str_t& text) {
    auto* compiled = static_cast<ngx_http_complex_value_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
    if (compiled == nullptr) { throw std::bad_alloc(); }
    ngx_str_t value = text;
    ngx_http_compile_complex_value_t ccv{};
    ccv.cf = cf;
    ccv.value = &value;
    ccv.complex_value = compiled;
    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? compiled : nullptr;
}

template <size_t LocationConf::*field, bool may_be_none = false>
char* set_size(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.*field != NGX_CONF_UNSET_SIZE) { return error(cf, "is duplicate"); }
    ngx_str_t text = parameters(cf)[0];
    const ssize_t size = ngx_parse_size(&text);
    if (size < 0 || (size == 0 && !may_be_none)) {
        return wrong_value(cf, view(text),
                           may_be_none ? "a size such as 64k, or 0" : "a size above 0, such as 64k or 1m");
    }
    conf.*field = static_cast<size_t>(size);
    return ok();
}

template <ngx_msec_t LocationConf::*field, bool may_be_off>
char* set_time(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.*field != NGX_CONF_UNSET_MSEC) { return error(cf, "is duplicate"); }
    ngx_str_t text = parameters(cf)[0];
    const ngx_int_t time = ngx_parse_time(&text, 0);
    if (time == NGX_ERROR || (time == 0 && !may_be_off)) {
        return wrong_value(cf, view(text),
                           may_be_off ? "a time such as 30s or 1h, or 0" : "a time above 0, such as 10s");
    }
    conf.*field = static_cast<ngx_msec_t>(time);
    return ok();
}

template <ngx_uint_t LocationConf::*field, ngx_int_t least, ngx_int_t most>
char* set_number(ngx_conf_t* cf, LocationConf& conf) {
    if (conf.*field != NGX_CONF_UNSET_UINT) { return error(cf, "is duplicate"); }
    const ngx_str_t text = parameters(cf)[0];
    const ngx_int_t number = ngx_atoi(text.data, text.len);
    if (number < least || number > most) {
        return wrong_value(cf, view(text), "a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    conf.*field = static_cast<ngx_uint_t>(number);
    return ok();
}

}  // namespace ws::nginx
