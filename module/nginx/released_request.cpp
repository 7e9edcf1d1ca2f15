#include "nginx/released_request.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "nginx/connection.h"
#include "nginx/tunnel.h"

namespace ws::nginx {

namespace {

// nginx's own handlers for events of clients with a request and for their log lines, which only its own files can name.
ngx_event_handler_pt request_handler;
ngx_log_handler_pt log_handler;

void on_event(ngx_event_t* event) noexcept {
    auto* c = static_cast<ngx_connection_t*>(event->data);
    auto& connection = *static_cast<Connection*>(c->data);
    if (c->close) {
        // The worker's time is up.
        if (recall_request(connection) != nullptr) { request_handler(event); }
        return;
    }
    if (event->write) {
        connection.tunnel->client_writable();
    } else {
        connection.tunnel->client_readable();
    }
    run_posted_requests(c);
}

// OpenSSL may wait for another event than who reads or writes.
bool is_released(const ngx_connection_t& c) noexcept {
#if (NGX_HTTP_SSL)
    if (c.ssl != nullptr && c.ssl->saved_read_handler == on_event) { return true; }
#endif
    return c.read->handler == on_event;
}

void set_handlers(ngx_connection_t& c, ngx_event_handler_pt handler) noexcept {
    c.read->handler = handler;
    c.write->handler = handler;
#if (NGX_HTTP_SSL)
    if (c.ssl != nullptr) {
        c.ssl->saved_read_handler = nullptr;
        c.ssl->saved_write_handler = nullptr;
    }
#endif
}

// Also of a log that was copied from the client's, for another connection.
u_char* write_log(ngx_log_t* log, u_char* buffer, std::size_t size) noexcept {
    const ngx_connection_t& c = *static_cast<ngx_http_log_ctx_t*>(log->data)->connection;
    if (!is_released(c)) { return log_handler(log, buffer, size); }
    u_char* const end = buffer + size;
    if (log->action != nullptr) { buffer = ngx_snprintf(buffer, size, " while %s", log->action); }
    buffer = ngx_snprintf(buffer, static_cast<std::size_t>(end - buffer), ", client: %V", &c.addr_text);
    const auto& connection = *static_cast<const Connection*>(c.data);
    return connection.record->write_log(buffer, static_cast<std::size_t>(end - buffer));
}

// Modules whose state is of no use once the answer has been sent.
bool forgettable(std::string_view module) noexcept {
    static constexpr std::array<std::string_view, 4> names{"ngx_http_copy_filter_module",
                                                           "ngx_http_auth_request_module",
                                                           "ngx_http_header_count_module", "ngx_http_proxy_module"};
    return std::ranges::find(names, module) != names.end();
}

bool has_state_of_others(const ngx_http_request_t& r) noexcept {
    ngx_module_t* const* modules = ngx_cycle->modules;
    return std::any_of(modules, modules + ngx_cycle->modules_n, [&r](const ngx_module_t* module) {
        return module->type == NGX_HTTP_MODULE && module != &ngx_http_ws_module &&
               r.ctx[module->ctx_index] != nullptr && !forgettable(module->name);
    });
}

bool may_go(const Connection& connection) noexcept {
    const ngx_http_request_t& r = *connection.request;
    const ngx_connection_t& c = *connection.client;
    return &r == r.main && r.count == 1 && r.out == nullptr && r.postponed == nullptr && r.posted_requests == nullptr &&
           r.buffered == 0 && c.buffered == 0 && !r.blocked && c.read->handler == c.write->handler &&
           connection.tunnel->can_release_request() && connection.alone() && !has_state_of_others(r);
}

void make_record(Connection& connection) {
    ngx_http_request_t& r = *connection.request;
    if (r.upstream != nullptr) { find_upstream_variables(r); }
    std::unique_ptr<RequestRecord> fresh;
    if (connection.record == nullptr) { fresh = std::make_unique<RequestRecord>(r); }
    (fresh != nullptr ? *fresh : *connection.record).add_answer(r);
    if (fresh != nullptr) { connection.record = std::move(fresh); }
}

// As nginx does for a kept-alive connection.
void free_buffers(ngx_connection_t* c, ngx_http_connection_t* hc) noexcept {
    if (ngx_pfree(c->pool, c->buffer->start) == NGX_OK) { c->buffer->start = c->buffer->end = nullptr; }
    c->buffer->pos = c->buffer->last = c->buffer->start;
    for (ngx_chain_t** list : {&hc->free, &hc->busy}) {
        for (ngx_chain_t* link = *list; link != nullptr;) {
            ngx_chain_t* next = link->next;
            (void)ngx_pfree(c->pool, link->buf->start);
            ngx_free_chain(c->pool, link);
            link = next;
        }
        *list = nullptr;
    }
    hc->nbusy = 0;
#if (NGX_HTTP_SSL)
    if (c->ssl != nullptr) { ngx_ssl_free_buffer(c); }
#endif
}

void fail(Connection& connection) noexcept {
    ngx_connection_t* c = connection.client;
    ngx_log_error(NGX_LOG_ERR, c->log, 0, "ws: out of memory, connection=%*s closed", connection.id.size(),
                  connection.id.data());
    delete &connection;
    ngx_http_close_connection(c);
}

}  // namespace

void release_request(Connection& connection) noexcept {
    ngx_http_request_t* r = connection.request;
    if (!may_go(connection)) { return; }
    try {
        make_record(connection);
    } catch (...) { return; }
    ngx_connection_t* c = connection.client;
    ngx_http_connection_t* hc = r->http_connection;
    char* action = r->upstream != nullptr ? c->log->action : nullptr;
    request_handler = c->read->handler;
    log_handler = c->log->handler;
    connection.tunnel->forget_request();
    connection.leave_request();

    r->logged = 1;  // in the end
#if (NGX_STAT_STUB)
    r->stat_writing = 0;  // until then the connection counts as one that is written to
#endif
    ngx_http_free_request(r, 0);
    c->destroyed = 0;
    c->data = &connection;
    set_handlers(*c, on_event);
    c->log->handler = write_log;
    c->log->action = action;
    free_buffers(c, hc);
}

ngx_http_request_t* recall_request(Connection& connection) noexcept {
    if (connection.request != nullptr) { return connection.request; }
    ngx_connection_t* c = connection.client;
    c->log->handler = log_handler;
    c->data = connection.record->http_connection();
    ngx_http_request_t* r = ngx_http_create_request(c);
    if (r == nullptr) {
#if (NGX_STAT_STUB)
        (void)ngx_atomic_fetch_add(ngx_stat_writing, static_cast<ngx_atomic_uint_t>(-1));
#endif
        fail(connection);
        return nullptr;
    }
    // Not another one.
    --c->requests;
#if (NGX_STAT_STUB)
    (void)ngx_atomic_fetch_add(ngx_stat_requests, static_cast<ngx_atomic_uint_t>(-1));
    (void)ngx_atomic_fetch_add(ngx_stat_reading, static_cast<ngx_atomic_uint_t>(-1));
    r->stat_reading = 0;
    r->stat_writing = 1;
#endif
    c->data = r;
    set_handlers(*c, request_handler);
    r->write_event_handler = ngx_http_request_empty_handler;
    r->http_state = NGX_HTTP_PROCESS_REQUEST_STATE;
    try {
        connection.record->restore(*r);
        connection.join_request(*r);
    } catch (...) {
        r->logged = 1;
        ngx_http_free_request(r, 0);
        fail(connection);
        return nullptr;
    }
    const auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    ngx_set_connection_log(c, core->error_log);
    return r;
}

void finalize_request(Connection& connection) noexcept {
    ngx_http_request_t* r = recall_request(connection);
    if (r == nullptr) { return; }
    // The socket is closed at once: whatever the client should still read has been sent.
    r->connection->read->eof = 1;
    ngx_http_finalize_request(r, NGX_OK);
}

void run_posted_requests(ngx_connection_t* c) noexcept {
    if (c->destroyed || is_released(*c)) { return; }
    ngx_http_run_posted_requests(c);
}

}  // namespace ws::nginx
