#include "nginx/detached_request.h"

#include <limits>
#include <utility>

#include "nginx/connection.h"
#include "nginx/request_headers.h"
#include "nginx/request_template.h"
#include "websocket/frame.h"
#include "websocket/header_value.h"

namespace ws::nginx {

namespace {

ngx_http_output_header_filter_pt next_header_filter;
ngx_http_output_body_filter_pt next_body_filter;

// No descriptor has this number: nginx would shut down or close what it names. Where it keeps a table of them (`use poll`), the last
// that may be in it.
ngx_socket_t no_socket() noexcept {
    return ngx_cycle->files != nullptr ? static_cast<ngx_socket_t>(ngx_cycle->files_n) - 1
                                       : std::numeric_limits<ngx_socket_t>::max();
}

// Most of what is asked for while a request is made.
constexpr std::size_t connection_pool_size = 256;

// A client that has sent all of its request, and takes whatever comes. Only what the filters don't see comes here, such as
// a subrequest's output.
ssize_t recv_nothing(ngx_connection_t*, u_char*, size_t) noexcept { return NGX_AGAIN; }

ssize_t recv_chain_nothing(ngx_connection_t*, ngx_chain_t*, off_t) noexcept { return NGX_AGAIN; }

ssize_t send_nowhere(ngx_connection_t*, u_char*, size_t size) noexcept { return static_cast<ssize_t>(size); }

void consume(ngx_buf_t& buffer) noexcept {
    buffer.pos = buffer.last;
    buffer.file_pos = buffer.file_last;
}

ngx_chain_t* send_chain_nowhere(ngx_connection_t*, ngx_chain_t* in, off_t) noexcept {
    for (; in != nullptr; in = in->next) { consume(*in->buf); }
    return nullptr;
}

// RFC 9110 5.3: lines of one name are one list. Where a list makes no sense, two lines make none.
void add_value(std::string& list, std::string_view value) { list.append(list.empty() ? "" : ", ").append(value); }

// Where the content phase begins.
ngx_uint_t content_phase(const ngx_http_core_main_conf_t& core) noexcept {
    ngx_uint_t index = 0;
    while (core.phase_engine.handlers[index].checker != ngx_http_core_content_phase) { ++index; }
    return index;
}

const ngx_http_core_main_conf_t& core_conf(ngx_http_request_t* r) noexcept {
    return *static_cast<ngx_http_core_main_conf_t*>(ngx_http_get_module_main_conf(r, ngx_http_core_module));
}

// The first of the preaccess phase: a request that begins at the rewrite phase goes on at the content phase.
ngx_int_t skip_to_content(ngx_http_request_t* r) noexcept {
    if (DetachedRequest::of(r) != nullptr) {
        r->phase_handler = static_cast<ngx_int_t>(content_phase(core_conf(r))) - 1;
    }
    return NGX_DECLINED;
}

ngx_int_t header_filter(ngx_http_request_t* r) noexcept try {
    DetachedRequest* request = r == r->main ? DetachedRequest::of(r) : nullptr;
    if (request == nullptr) { return next_header_filter(r); }
    request->take_header();
    return NGX_OK;
} catch (...) { return NGX_ERROR; }

ngx_int_t body_filter(ngx_http_request_t* r, ngx_chain_t* in) noexcept try {
    DetachedRequest* request = r == r->main ? DetachedRequest::of(r) : nullptr;
    return request == nullptr ? next_body_filter(r, in) : request->take_body(in);
} catch (...) { return NGX_ERROR; }

}  // namespace

void install_detached_filters() noexcept {
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
}

ngx_int_t install_detached_phases(ngx_conf_t* cf) noexcept {
    auto* core = static_cast<ngx_http_core_main_conf_t*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto* handler = static_cast<ngx_http_handler_pt*>(ngx_array_push(&core->phases[NGX_HTTP_PREACCESS_PHASE].handlers));
    if (handler == nullptr) { return NGX_ERROR; }
    *handler = skip_to_content;
    return NGX_OK;
}

DetachedRequest* DetachedRequest::of(const ngx_http_request_t* r) noexcept {
    if (r->connection->recv != recv_nothing) { return nullptr; }
    return static_cast<HttpConnection*>(r->http_connection)->owner;
}

DetachedRequest::DetachedRequest(Connection& parent, relay::HttpEvent event,
                                 std::shared_ptr<const context::Context> context, Owner& owner) noexcept
    : parent_(parent), event_(std::move(event)), context_(std::move(context)), owner_(&owner) {}

DetachedRequest& DetachedRequest::make(Connection& parent, const RequestTemplate& parts, relay::HttpEvent event,
                                       std::shared_ptr<const context::Context> context, Owner& owner) {
    auto* request = new DetachedRequest(parent, std::move(event), std::move(context), owner);
    try {
        request->make_connection();
    } catch (...) {
        delete request;
        throw;
    }
    try {
        request->make_request(parts);
    } catch (...) {
        request->owner_ = nullptr;
        // As nginx ends a connection of a client's; the object goes with it.
        if (request->r_ != nullptr) {
            request->r_->logged = 1;
            ngx_http_free_request(request->r_, 0);
        }
        ngx_http_close_connection(request->c_);
        throw;
    }
    return *request;
}

void DetachedRequest::make_connection() {
    ngx_connection_t& client = *parent_.client;
    ngx_connection_t* c = ngx_get_connection(no_socket(), client.log);
    if (c == nullptr) { throw std::bad_alloc(); }
    c->shared = 1;  // nginx closes no socket
    // Not our own log: the pool is the last to go.
    c->pool = ngx_create_pool(connection_pool_size, ngx_cycle->log);
    ngx_pool_cleanup_t* cleanup = c->pool != nullptr ? ngx_pool_cleanup_add(c->pool, 0) : nullptr;
    if (cleanup == nullptr) {
        if (c->pool != nullptr) { ngx_destroy_pool(c->pool); }
        ngx_close_connection(c);
        throw std::bad_alloc();
    }
    cleanup->handler = on_connection_end;
    cleanup->data = this;
    c_ = c;
#if (NGX_STAT_STUB)
    (void)ngx_atomic_fetch_add(ngx_stat_active, 1);  // which nginx counts down at the end
#endif

    log_ = *client.log;
    log_context_.connection = c;
    log_.data = &log_context_;
    c->log = &log_;
    c->read->log = &log_;
    c->write->log = &log_;
    c->read->handler = on_event;
    c->write->handler = on_event;
    // Nothing can be read, and the client has gone no sooner than the end: nginx neither waits for it nor lingers.
    c->read->active = 1;
    c->read->eof = 1;
    c->write->active = (ngx_event_flags & NGX_USE_CLEAR_EVENT) != 0;
    c->write->ready = 1;
    c->recv = recv_nothing;
    c->recv_chain = recv_chain_nothing;
    c->send = send_nowhere;
    c->send_chain = send_chain_nowhere;

    c->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;
    c->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;

    c->number = client.number;
    c->type = client.type;
    c->log_error = client.log_error;
    c->listening = client.listening;
    c->sockaddr = client.sockaddr;
    c->socklen = client.socklen;
    c->addr_text = client.addr_text;
    c->local_sockaddr = client.local_sockaddr;
    c->local_socklen = client.local_socklen;
    c->proxy_protocol = client.proxy_protocol;
    c->start_time = ngx_current_msec;
    c->buffer = &empty_;

    static_cast<ngx_http_connection_t&>(http_) = *parent_.record->http_connection();
    http_.busy = nullptr;
    http_.nbusy = 0;
    http_.free = nullptr;
    http_.owner = this;
    http_.conf_ctx =
        static_cast<ngx_http_core_srv_conf_t*>(parent_.record->srv_conf()[ngx_http_core_module.ctx_index])->ctx;
    c->data = &http_;
}

void DetachedRequest::make_request(const RequestTemplate& parts) {
    ngx_http_request_t* r = ngx_http_create_request(c_);
    if (r == nullptr) { throw std::bad_alloc(); }
    r_ = r;
    c_->data = r;
    ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(r->pool, 0);
    if (cleanup == nullptr) { throw std::bad_alloc(); }
    cleanup->handler = on_request_end;
    cleanup->data = this;
    ngx_http_cleanup_t* ending = ngx_http_cleanup_add(r, 0);
    if (ending == nullptr) { throw std::bad_alloc(); }
    ending->handler = on_request_ending;
    ending->data = c_;
#if (NGX_HTTP_SSL)
    c_->ssl = parent_.client->ssl;  // for $scheme and $ssl_...; until the request ends
#endif

    std::string_view context;
    const ContextHeader& header = *parent_.conf->header;
    if (!header.name.empty()) {
        context =
            header.encoding == HeaderEncoding::json ? context_->json() : view(copy(r->pool, context_->base64url()));
    }
    parts.apply(*r, event_, context);
    set_body();
    // As they are: the phases in which they would be found again are skipped.
    parent_.record->set_settable_variables(*r);
    ngx_http_set_ctx(r, &parent_, ngx_http_ws_module);  // $ws_...

    const auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    ngx_set_connection_log(c_, core->error_log);
    r->http_state = NGX_HTTP_PROCESS_REQUEST_STATE;
    r->valid_location = 1;
    r->internal = 1;
    r->logged = !parent_.conf->http_access_log;
    // Nothing leads it elsewhere: neither error_page nor, since the next one would be one too many, X-Accel-Redirect.
    r->error_page = 1;
    r->uri_changes = 1;
}

// The event's own bytes, which a content handler passes on as they are.
void DetachedRequest::set_body() {
    auto* body = static_cast<ngx_http_request_body_t*>(ngx_pcalloc(r_->pool, sizeof(ngx_http_request_body_t)));
    if (body == nullptr) { throw std::bad_alloc(); }
    r_->request_body = body;
    if (event_.body.empty()) { return; }
    auto* buffer = static_cast<ngx_buf_t*>(ngx_pcalloc(r_->pool, sizeof(ngx_buf_t)));
    ngx_chain_t* link = ngx_alloc_chain_link(r_->pool);
    if (buffer == nullptr || link == nullptr) { throw std::bad_alloc(); }
    buffer->start = buffer->pos = reinterpret_cast<u_char*>(event_.body.data());
    buffer->end = buffer->last = buffer->pos + event_.body.size();
    buffer->temporary = 1;
    buffer->last_buf = 1;
    *link = {buffer, nullptr};
    body->bufs = link;
    body->received = static_cast<off_t>(event_.body.size());
}

void DetachedRequest::run() noexcept {
    ngx_connection_t* c = c_;
    ngx_http_request_t* r = r_;
    r->content_handler = parent_.content_handler;
    const auto& core = core_conf(r);
    // Without a content handler it is the rewrite phase that answers, with `return`.
    r->phase_handler = static_cast<ngx_int_t>(r->content_handler != nullptr ? content_phase(core)
                                                                            : core.phase_engine.location_rewrite_index);
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}

// Nothing is to follow: a post_action is for the client's request alone, and here one redirect too many. That it has been done
// already is how nginx can be told.
void DetachedRequest::let_end() noexcept {
    r_->request_complete = whole_;
    r_->post_action = 1;
    r_->uri_changes = 0;
}

void DetachedRequest::cancel() noexcept {
    owner_ = nullptr;
    let_end();
    ngx_connection_t* c = c_;
    // Ending it ends its upstream, which would take the last count away while the end is under way.
    ++r_->main->count;
    ngx_http_finalize_request(r_, NGX_HTTP_CLIENT_CLOSED_REQUEST);
    ngx_http_run_posted_requests(c);
}

// nginx's own handler for events of clients, which only its own files can name.
void DetachedRequest::on_event(ngx_event_t* event) noexcept {
    auto* c = static_cast<ngx_connection_t*>(event->data);
    auto* r = static_cast<ngx_http_request_t*>(c->data);
    if (c->close) {
        ++r->main->count;
        ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
    } else if (event->write) {
        r->write_event_handler(r);
    } else {
        r->read_event_handler(r);
    }
    ngx_http_run_posted_requests(c);
}

// reset_timedout_connection would set an option of a socket.
void DetachedRequest::on_request_ending(void* data) noexcept { static_cast<ngx_connection_t*>(data)->timedout = 0; }

// After the log phase; what nginx does to the connection next must not reach the client's.
void DetachedRequest::on_request_end(void* data) noexcept {
    auto& self = *static_cast<DetachedRequest*>(data);
    self.r_ = nullptr;
#if (NGX_HTTP_SSL)
    self.c_->ssl = nullptr;
#endif
    if (!self.whole_) { self.reply_ = {}; }
    if (Owner* owner = std::exchange(self.owner_, nullptr)) { owner->ended(self, std::move(self.reply_)); }
}

void DetachedRequest::on_connection_end(void* data) noexcept { delete static_cast<DetachedRequest*>(data); }

void DetachedRequest::take_header() {
    const ngx_http_headers_out_t& headers = r_->headers_out;
    reply_.status = static_cast<unsigned>(headers.status);
    reply_.content_type = view(headers.content_type);
    const off_t length = headers.content_length_n;
    if (reply_.success() && length > 0 && static_cast<std::size_t>(length) <= parent_.conf->max_message_size) {
        // And for the header of its frame.
        reply_.body.reserve(static_cast<std::size_t>(length) + websocket::max_header_size);
    }
    for_each_header(headers.headers, [this](const ngx_table_elt_t& line) {
        const std::string_view name = view(line.key);
        if (websocket::same_text(name, "X-WS-Context-Update")) {
            add_value(reply_.context_update, view(line.value));
        } else if (websocket::same_text(name, "X-WS-Close")) {
            add_value(reply_.close, view(line.value));
        } else if (websocket::same_text(name, "Sec-WebSocket-Protocol")) {
            add_value(reply_.subprotocol, view(line.value));
        }
    });
}

ngx_int_t DetachedRequest::take_body(ngx_chain_t* in) {
    for (; in != nullptr; in = in->next) {
        if (!keep(*in->buf)) { return NGX_ERROR; }
        if (in->buf->last_buf) { whole_ = true; }
        consume(*in->buf);
    }
    if (whole_) { let_end(); }
    return NGX_OK;
}

// False when the reply is larger than a message may be, or can't be read.
bool DetachedRequest::keep(const ngx_buf_t& buffer) {
    if (ngx_buf_special(&buffer) || !reply_.success()) { return true; }
    const auto size = static_cast<std::size_t>(ngx_buf_size(&buffer));
    c_->sent += static_cast<off_t>(size);
    if (size > parent_.conf->max_message_size - reply_.body.size()) {
        ngx_log_error(NGX_LOG_ERR, c_->log, 0, "ws: reply too large (ws_max_message_size), connection=%*s",
                      parent_.id.size(), parent_.id.data());
        return false;
    }
    if (ngx_buf_in_memory(&buffer)) {
        reply_.body.append(reinterpret_cast<char*>(buffer.pos), size);
        return true;
    }
    // A temporary file, a cached reply: in the page cache as a rule.
    const std::size_t before = reply_.body.size();
    reply_.body.resize(before + size);
    return ngx_read_file(buffer.file, reinterpret_cast<u_char*>(reply_.body.data()) + before, size, buffer.file_pos) ==
           static_cast<ssize_t>(size);
}

}  // namespace ws::nginx
