#include "nginx/connection.h"

#include "nginx/http_backend.h"
#include "nginx/object.h"
#include "nginx/tunnel.h"
#include "nginx/worker.h"

namespace ws::nginx {

namespace {

// Runs when the request ends, however it ends: what still has sockets, timers or callbacks goes now, the rest with the
// pool.
void on_request_end(void* data) noexcept {
    auto& connection = *static_cast<Connection*>(data);
    connection.watch.reset();
    connection.opening.reset();
    connection.tunnel.reset();
    if (connection.expiry.timer_set) { ngx_del_timer(&connection.expiry); }
    if (connection.resume.posted) { ngx_delete_posted_event(&connection.resume); }
}

}  // namespace

std::string_view name(AuthStatus status) noexcept {
    switch (status) {
        case AuthStatus::off: return "off";
        case AuthStatus::pending: return "pending";
        case AuthStatus::allowed: return "allowed";
        case AuthStatus::anonymous: return "anonymous";
        case AuthStatus::unchecked: return "unchecked";
        case AuthStatus::no_token: return "no_token";
        case AuthStatus::denied: return "denied";
        case AuthStatus::unavailable: return "unavailable";
        case AuthStatus::invalid: return "invalid";
        case AuthStatus::origin: return "origin";
        case AuthStatus::malformed: return "malformed";
    }
    return {};
}

void count(AuthStatus status) noexcept {
    using ws::status::AuthResult;
    ws::status::Counters& counters = Worker::current()->counters();
    switch (status) {
        case AuthStatus::off:
        case AuthStatus::pending: break;
        case AuthStatus::allowed: return counters.add_auth(AuthResult::allowed);
        case AuthStatus::anonymous: return counters.add_auth(AuthResult::anonymous);
        case AuthStatus::unchecked: return counters.add_auth(AuthResult::unchecked);
        case AuthStatus::no_token: return counters.add_auth(AuthResult::no_token);
        case AuthStatus::denied: return counters.add_auth(AuthResult::denied);
        case AuthStatus::unavailable: return counters.add_auth(AuthResult::unavailable);
        case AuthStatus::invalid: return counters.add_auth(AuthResult::invalid);
        case AuthStatus::origin: return counters.add_auth(AuthResult::origin);
        case AuthStatus::malformed: return counters.add_auth(AuthResult::malformed);
    }
}

Connection::Connection(ngx_http_request_t* r)
    : request(r),
      client(r->connection),
      conf(&location_conf(r)),
      id(Worker::current()->random().take<ConnectionId::bytes>()),
      expiry(*this) {
    end_with(r);
}

void Connection::end_with(ngx_http_request_t* r) {
    ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(r, 0);
    if (cleanup == nullptr) { throw std::bad_alloc(); }
    cleanup->handler = on_request_end;
    cleanup->data = this;
}

bool Connection::alone() const noexcept {
    const ngx_http_cleanup_pt* of_upstream = request->upstream != nullptr ? request->upstream->cleanup : nullptr;
    for (const ngx_http_cleanup_t* cleanup = request->cleanup; cleanup != nullptr; cleanup = cleanup->next) {
        if (cleanup->handler != nullptr && cleanup->data != this && &cleanup->handler != of_upstream) { return false; }
    }
    for (const ngx_pool_cleanup_t* slot = request->pool->cleanup; slot != nullptr; slot = slot->next) {
        if (slot->handler != nullptr && slot->data != this) { return false; }
    }
    return true;
}

void Connection::leave_request() noexcept {
    for (ngx_http_cleanup_t* cleanup = request->cleanup; cleanup != nullptr; cleanup = cleanup->next) {
        if (cleanup->data == this) { cleanup->handler = nullptr; }
    }
    release_object(request->pool, *this);
    ngx_http_set_ctx(request, nullptr, ngx_http_ws_module);
    request = nullptr;
    // Of no use any more: views of the request's memory, and what is in its record.
    stripped = {};
    offer = {};
    subprotocol = {};
    context_sent.reset();
}

void Connection::join_request(ngx_http_request_t& r) {
    end_with(&r);
    try {
        adopt_object(r.pool, *this);
    } catch (...) {
        r.cleanup->handler = nullptr;
        throw;
    }
    ngx_http_set_ctx((&r), this, ngx_http_ws_module);
    request = &r;
}

Connection::~Connection() { on_request_end(this); }

Connection* Connection::of(ngx_http_request_t* r) noexcept {
    auto* connection = static_cast<Connection*>(ngx_http_get_module_ctx(r, ngx_http_ws_module));
    if (connection != nullptr || !(r->internal || r->filter_finalize)) { return connection; }
    connection = find_object<Connection>(r->pool, [r](const Connection& c) { return c.request == r; });
    ngx_http_set_ctx(r, connection, ngx_http_ws_module);
    return connection;
}

Connection& Connection::make(ngx_http_request_t* r) {
    auto* connection = make_object<Connection>(r->pool, r);
    ngx_http_set_ctx(r, connection, ngx_http_ws_module);
    return *connection;
}

}  // namespace ws::nginx
