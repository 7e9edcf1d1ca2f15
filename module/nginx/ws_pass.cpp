#include "nginx/ws_pass.h"

#include <string>
#include <string_view>

#include "nginx/connection.h"
#include "nginx/detached_request.h"
#include "websocket/header_value.h"

namespace ws::nginx {

namespace {

constexpr std::string_view crlf = "\r\n";

// Lines that proxy_pass writes its own way, by its defaults or by proxy_set_header. Those are left alone, with all that
// proxy_set_header inherits: only the finished request is changed.
bool is_left_out(std::string_view line, bool upgrade) noexcept {
    const auto is = [line](std::string_view name) { return websocket::same_text(line.substr(0, name.size()), name); };
    switch (line.front() | 0x20) {
        // An upgrade has no body, proxy_set_body or not: a backend that waits for one would take frames for it.
        case 'c': return is("connection:") || (upgrade && is("content-length:"));
        case 'k': return is("keep-alive:");
        case 't': return upgrade && is("transfer-encoding:");
        case 'u': return is("upgrade:");
        default: return false;
    }
}

// The request that proxy_pass has written, in HTTP/1.1: as an upgrade, or as a request that leaves the connection open. Empty if it
// isn't a request head.
std::string rewritten(std::string_view text, bool upgrade) {
    const std::size_t first = text.find(crlf);
    const std::size_t version = first == std::string_view::npos ? first : text.substr(0, first).rfind(" HTTP/");
    if (version == std::string_view::npos) { return {}; }
    std::string request;
    request.reserve(text.size() + 64);  // with the lines that follow
    request.append(text.substr(0, version)).append(" HTTP/1.1\r\n");
    text.remove_prefix(first + crlf.size());
    std::size_t at = 0;
    std::size_t copied = 0;  // lines between two that are left out go together
    for (std::size_t end = 0; !text.substr(at).starts_with(crlf); at = end + crlf.size()) {
        end = text.find(crlf, at);
        if (end == std::string_view::npos) { return {}; }
        if (!is_left_out(text.substr(at), upgrade)) { continue; }
        request.append(text.substr(copied, at - copied));
        copied = end + crlf.size();
    }
    if (!upgrade) {
        request += text.substr(copied);  // with the body of proxy_set_body, if there is one
        return request;
    }
    request.append(text.substr(copied, at - copied)).append("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    return request;
}

ngx_int_t create_request(ngx_http_request_t* r) noexcept try {
    Connection& connection = *Connection::of(r);
    const ngx_int_t rc = connection.create_request(r);
    if (rc != NGX_OK) { return rc; }
    ngx_buf_t* buffer = r->upstream->request_bufs->buf;
    const bool upgrade = DetachedRequest::of(r) == nullptr;
    std::string request = rewritten(
        {reinterpret_cast<char*>(buffer->pos), static_cast<std::size_t>(buffer->last - buffer->pos)}, upgrade);
    if (request.empty()) { return NGX_ERROR; }
    ngx_str_t text;
    if (upgrade) {
        connection.upgrade_request = std::move(request);
        text = {connection.upgrade_request.size(), reinterpret_cast<u_char*>(connection.upgrade_request.data())};
    } else {
        text = copy(r->pool, request);
    }
    buffer->start = buffer->pos = text.data;
    buffer->last = buffer->end = text.data + text.len;
    return NGX_OK;
} catch (...) { return NGX_ERROR; }

// An upgrade is not answered from proxy_cache, nor is its refusal kept there: it is one client's. The location's other
// requests are cached as configured.
bool pass_by_cache(ngx_http_request_t* r) noexcept {
#if (NGX_HTTP_CACHE)
    if (!r->upstream->conf->cache) { return true; }
    auto* conf = static_cast<ngx_http_upstream_conf_t*>(ngx_palloc(r->pool, sizeof(ngx_http_upstream_conf_t)));
    if (conf == nullptr) { return false; }
    *conf = *r->upstream->conf;
    conf->cache = 0;
    r->upstream->conf = conf;
#endif
    return true;
}

ngx_int_t handle(ngx_http_request_t* r) noexcept {
    const LocationConf& conf = location_conf(r);
    Connection* connection = Connection::of(r);
    if (connection == nullptr || connection->kind != websocket::RequestKind::upgrade) { return conf.proxy_handler(r); }

    // While r->aio is set, ngx_http_upstream_init() returns before it builds the request: the moment to put our builder
    // around the proxy module's.
    r->aio = 1;
    const ngx_int_t rc = conf.proxy_handler(r);
    r->aio = 0;
    if (rc != NGX_DONE || r->upstream == nullptr) { return rc; }
    connection->create_request = r->upstream->create_request;
    r->upstream->create_request = create_request;
    if (DetachedRequest::of(r) != nullptr || pass_by_cache(r)) {
        ngx_http_upstream_init(r);
    } else {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
    return NGX_DONE;
}

struct ProxyPass {
    ngx_module_t* module = nullptr;
    ngx_command_t* command = nullptr;
};

ProxyPass find_proxy_pass(const ngx_cycle_t& cycle) noexcept {
    for (ngx_uint_t i = 0; cycle.modules[i] != nullptr; ++i) {
        if (std::string_view(cycle.modules[i]->name) != "ngx_http_proxy_module") { continue; }
        for (ngx_command_t* command = cycle.modules[i]->commands; command->name.len != 0; ++command) {
            if (view(command->name) == "proxy_pass") { return {cycle.modules[i], command}; }
        }
    }
    return {};
}

}  // namespace

char* set_ws_pass(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
    static char no_proxy[] = "needs nginx's http proxy module, which this nginx was built without";
    static char duplicate[] = "is duplicate";
    static char shared[] = "stands for proxy_pass, and can't share a location with it or its like";
    static char wrong_url[] = "has a wrong URL: it must begin with http:// or https://, or be a variable";
    auto& own = *static_cast<LocationConf*>(conf);
    void** location = static_cast<ngx_http_conf_ctx_t*>(cf->ctx)->loc_conf;
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(location[ngx_http_core_module.ctx_index]);
    if (own.proxy_handler != nullptr) { return duplicate; }
    if (core->handler != nullptr) { return shared; }
    const ProxyPass proxy = find_proxy_pass(*cf->cycle);
    if (proxy.command == nullptr) { return no_proxy; }

    auto* args = static_cast<ngx_str_t*>(cf->args->elts);
    const std::string_view url = view(args[1]);
    if (!url.starts_with("http://") && !url.starts_with("https://") && !url.starts_with('$')) { return wrong_url; }
    const ngx_str_t name = args[0];
    args[0] = proxy.command->name;
    char* result = proxy.command->set(cf, proxy.command, location[proxy.module->ctx_index]);
    args[0] = name;
    if (result != NGX_CONF_OK) { return result; }

    own.proxy_handler = core->handler;
    core->handler = handle;
    return NGX_CONF_OK;
}

char* merge_ws_pass(ngx_conf_t* cf, const LocationConf& outer, LocationConf& inner) noexcept {
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (inner.proxy_handler != nullptr && core->handler != handle) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_pass\" can't share location \"%V\" with another directive that answers its requests",
                           &core->name);
        return static_cast<char*>(NGX_CONF_ERROR);
    }
    if (inner.proxy_handler != nullptr || !core->noname) { return NGX_CONF_OK; }
    inner.proxy_handler = outer.proxy_handler;
    // In limit_except the proxy module has put itself there a moment ago; in `if` the outer handler stays.
    if (core->lmt_excpt && core->handler != nullptr && core->handler == outer.proxy_handler) { core->handler = handle; }
    return NGX_CONF_OK;
}

}  // namespace ws::nginx
