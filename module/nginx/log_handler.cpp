#include "nginx/log_handler.h"

#include <algorithm>
#include <string_view>

#include "nginx/location_conf.h"

namespace ws::nginx {

namespace {

// Everything after nginx's own "client: ..., server: ...", which it writes before it calls the request's handler.
u_char* write_request(ngx_http_request_t*, ngx_http_request_t* r, u_char* buffer, std::size_t size) noexcept {
    u_char* const end = buffer + size;
    const auto* server = static_cast<ngx_http_core_srv_conf_t*>(ngx_http_get_module_srv_conf(r, ngx_http_core_module));
    buffer = ngx_snprintf(buffer, size, ", server: %V", &server->server_name);

    const std::string_view line = view(r->request_line);
    const std::size_t shown = std::min(line.find('?'), line.size());
    buffer = ngx_snprintf(buffer, static_cast<std::size_t>(end - buffer), ", request: \"%*s%s\"", shown, line.data(),
                          shown < line.size() ? "?..." : "");
    if (r->upstream != nullptr && r->upstream->peer.name != nullptr) {
        buffer = ngx_snprintf(buffer, static_cast<std::size_t>(end - buffer), ", upstream: \"%V%V\"",
                              &r->upstream->schema, r->upstream->peer.name);
    }
    if (r->headers_in.host != nullptr) {
        buffer =
            ngx_snprintf(buffer, static_cast<std::size_t>(end - buffer), ", host: \"%V\"", &r->headers_in.host->value);
    }
    return buffer;
}

bool takes_argument(const LocationConf& conf) noexcept {
    return conf.tokens != nullptr && std::ranges::any_of(*conf.tokens, [](const TokenSource& source) {
               return source.kind == TokenSource::Kind::argument;
           });
}

// The first phase in which the location is known; it says nothing about the request.
ngx_int_t hide_arguments(ngx_http_request_t* r) noexcept {
    const LocationConf& conf = location_conf(r);
    if (conf.active() && takes_argument(conf)) { r->log_handler = write_request; }
    return NGX_DECLINED;
}

}  // namespace

ngx_int_t install_log_handler(ngx_conf_t* cf) noexcept {
    auto* core = static_cast<ngx_http_core_main_conf_t*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto* handler = static_cast<ngx_http_handler_pt*>(ngx_array_push(&core->phases[NGX_HTTP_REWRITE_PHASE].handlers));
    if (handler == nullptr) { return NGX_ERROR; }
    *handler = hide_arguments;
    return NGX_OK;
}

}  // namespace ws::nginx
