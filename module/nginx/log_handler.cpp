#include "nginx/log_handler.h"

#include <algorithm>
#include <string_view>

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

}  // namespace

void hide_arguments_in_log(ngx_http_request_t& r) noexcept { r.log_handler = write_request; }

}  // namespace ws::nginx
