#include "nginx/ws_status.h"

#include <array>
#include <optional>
#include <string>

#include "nginx/request_headers.h"
#include "nginx/setters.h"
#include "nginx/worker.h"
#include "status/json.h"
#include "status/page.h"
#include "status/prometheus.h"

namespace ws::nginx {

namespace {

constexpr std::array<Choice, 3> formats{{
    {"json", static_cast<ngx_uint_t>(StatusFormat::json)},
    {"prometheus", static_cast<ngx_uint_t>(StatusFormat::prometheus)},
    {"html", static_cast<ngx_uint_t>(StatusFormat::html)},
}};

struct Answer {
    std::string_view type;
    std::string text;
};

std::uint64_t time_ms() noexcept {
    const ngx_time_t* now = ngx_timeofday();
    return static_cast<std::uint64_t>(now->sec) * 1000 + now->msec;
}

Answer answer(StatusFormat format) {
    status::Board& board = Worker::current()->status_board();
    switch (format) {
        case StatusFormat::json: return {"application/json", status::to_json(board.read(), time_ms())};
        case StatusFormat::prometheus:
            return {"text/plain; version=0.0.4; charset=utf-8", status::to_prometheus(board.read())};
        case StatusFormat::html:
        case StatusFormat::by_request: break;
    }
    return {"text/html; charset=utf-8", std::string(status::page)};
}

// What Accept asks for. Browsers name text/html, Prometheus text/plain; everybody else gets JSON.
StatusFormat accepted(const ngx_http_request_t& r) {
    for (const std::string_view value : header_values(r, "Accept")) {
        if (value.find("text/html") != std::string_view::npos) { return StatusFormat::html; }
        if (value.find("text/plain") != std::string_view::npos) { return StatusFormat::prometheus; }
    }
    return StatusFormat::json;
}

// The argument `format` decides, then the directive, then Accept. Nothing: the argument is wrong.
std::optional<Answer> choose(ngx_http_request_t& r) {
    static u_char format[] = "format";
    ngx_str_t value;
    if (ngx_http_arg(&r, format, sizeof(format) - 1, &value) == NGX_OK) {
        const std::string_view name = view(value);
        for (const Choice& choice : formats) {
            if (choice.name == name) { return answer(static_cast<StatusFormat>(choice.value)); }
        }
        // What the page consists of: without inline parts it does with any Content-Security-Policy that allows 'self'.
        if (name == "icon") { return Answer{"image/svg+xml", std::string(status::page_icon)}; }
        if (name == "css") { return Answer{"text/css; charset=utf-8", std::string(status::page_style)}; }
        if (name == "js") { return Answer{"text/javascript; charset=utf-8", std::string(status::page_script)}; }
        return std::nullopt;
    }
    const auto fixed = static_cast<StatusFormat>(location_conf(&r).status_format);
    return answer(fixed != StatusFormat::by_request ? fixed : accepted(r));
}

ngx_int_t send(ngx_http_request_t* r, const Answer& answer) {
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = static_cast<off_t>(answer.text.size());
    r->headers_out.content_type = copy(r->pool, answer.type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = nullptr;
    add_response_header(*r, "Cache-Control", "no-store");
    add_response_header(*r, "X-Content-Type-Options", "nosniff");
    add_response_header(*r, "Content-Security-Policy",
                        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
                        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'");
    const ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) { return rc; }

    const ngx_str_t text = copy(r->pool, answer.text);
    auto* buffer = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
    if (buffer == nullptr) { throw std::bad_alloc(); }
    buffer->pos = text.data;
    buffer->last = text.data + text.len;
    buffer->memory = 1;
    buffer->last_buf = r == r->main;
    buffer->last_in_chain = 1;
    ngx_chain_t out{buffer, nullptr};
    return ngx_http_output_filter(r, &out);
}

ngx_int_t handle(ngx_http_request_t* r) noexcept try {
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) { return NGX_HTTP_NOT_ALLOWED; }
    if (const ngx_int_t rc = ngx_http_discard_request_body(r); rc != NGX_OK) { return rc; }
    const std::optional<Answer> chosen = choose(*r);
    return chosen ? send(r, *chosen) : NGX_HTTP_BAD_REQUEST;
} catch (...) { return NGX_HTTP_INTERNAL_SERVER_ERROR; }

char* refuse(ngx_conf_t* cf, const char* format, ngx_str_t* location) noexcept {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, format, location);
    return static_cast<char*>(NGX_CONF_ERROR);
}

}  // namespace

char* set_ws_status(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept try {
    auto& own = *static_cast<LocationConf*>(conf);
    if (parameters(cf).empty()) {
        if (own.status_format != NGX_CONF_UNSET_UINT) { return error(cf, "is duplicate"); }
        own.status_format = static_cast<ngx_uint_t>(StatusFormat::by_request);
    } else if (char* result = set_choice<&LocationConf::status_format, formats>(cf, own); result != ok()) {
        return result;
    }
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    core->handler = handle;
    return ok();
} catch (...) { return static_cast<char*>(NGX_CONF_ERROR); }

char* merge_ws_status(ngx_conf_t* cf, const LocationConf& outer, LocationConf& inner) noexcept {
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (!inner.shows_status()) {
        // In `if` the outer handler stays.
        if (core->noname) { inner.status_format = outer.status_format; }
        return NGX_CONF_OK;
    }
    if (core->handler != handle) {
        return refuse(cf, "\"ws_status\" can't share location \"%V\" with another directive that answers its requests",
                      &core->name);
    }
    if (inner.has_hook()) {
        return refuse(cf,
                      "\"ws_auth\" doesn't guard \"ws_status\" in location \"%V\": use allow, deny, auth_basic or "
                      "auth_request",
                      &core->name);
    }
    return NGX_CONF_OK;
}

}  // namespace ws::nginx
