#include "nginx/ws_control.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "control/body.h"
#include "control/bus_message.h"
#include "control/response.h"
#include "control/route.h"
#include "nginx/control_bus.h"
#include "nginx/main_conf.h"
#include "nginx/object.h"
#include "nginx/request_headers.h"
#include "nginx/setters.h"
#include "nginx/worker.h"

namespace ws::nginx {

namespace {

constexpr ngx_msec_t default_timeout = 2000;

// One request of an operator's. Lives in the request's pool.
struct Call {
    explicit Call(ngx_http_request_t* r, control::Request asked) : request(r), question(std::move(asked)) {}

    ngx_http_request_t* request;
    control::Request question;
    ControlBus* bus = nullptr;
    std::uint64_t number = 0;  // of the question under way; 0: none
    std::optional<control::Answer> answer{};
    ngx_event_t ready{};  // posted when there is an answer
};

ngx_int_t send(ngx_http_request_t* r, const control::Response& response) {
    r->headers_out.status = static_cast<ngx_uint_t>(response.status);
    r->headers_out.content_length_n = static_cast<off_t>(response.body.size());
    if (!response.type.empty()) {
        r->headers_out.content_type = copy(r->pool, response.type);
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = nullptr;
    }
    add_response_header(*r, "Cache-Control", "no-store");
    add_response_header(*r, "X-Content-Type-Options", "nosniff");
    if (response.status == control::status::unavailable) { add_response_header(*r, "Retry-After", "1"); }
    if (response.body.empty()) { r->header_only = 1; }
    const ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) { return rc; }

    const ngx_str_t text = copy(r->pool, response.body);
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

// The client has left, or the request ends in another way.
void on_request_end(void* data) noexcept {
    auto& call = *static_cast<Call*>(data);
    if (call.number != 0) { call.bus->forget(std::exchange(call.number, 0)); }
    if (call.ready.posted) { ngx_delete_posted_event(&call.ready); }
}

void on_ready(ngx_event_t* event) noexcept {
    auto& call = *static_cast<Call*>(event->data);
    ngx_http_request_t* r = call.request;
    ngx_connection_t* c = r->connection;
    ngx_int_t rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    r->read_event_handler = ngx_http_block_reading;
    try {
        rc = send(r, control::respond(call.question, *call.answer));
    } catch (...) {}
    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}

// The request is held; on_ready() lets it go.
void ask(Call& call) {
    ngx_http_request_t* r = call.request;
    const ControlSettings& settings = *location_conf(r).control;
    call.ready.handler = on_ready;
    call.ready.data = &call;
    call.ready.log = r->connection->log;
    ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(r, 0);
    if (cleanup == nullptr) { throw std::bad_alloc(); }
    cleanup->handler = on_request_end;
    cleanup->data = &call;
    call.bus = &Worker::current()->bus(settings);
    call.number = call.bus->ask(call.question, settings.timeout, [&call](control::Answer answer) {
        call.number = 0;
        call.answer = std::move(answer);
        ngx_post_event(&call.ready, &ngx_posted_events);
    });
    // A client that leaves meanwhile is noticed.
    r->read_event_handler = ngx_http_test_reading;
}

// All of the body, from memory and from its file; nothing: it is larger than what can be passed on.
std::optional<std::string> body_of(ngx_http_request_t* r) {
    std::string text;
    for (ngx_chain_t* link = r->request_body->bufs; link != nullptr; link = link->next) {
        ngx_buf_t& buffer = *link->buf;
        if (text.size() + static_cast<std::size_t>(ngx_buf_size(&buffer)) > control::max_body) { return std::nullopt; }
        if (ngx_buf_in_memory(&buffer)) {
            text.append(reinterpret_cast<char*>(buffer.pos), static_cast<std::size_t>(buffer.last - buffer.pos));
            continue;
        }
        if (!buffer.in_file) { continue; }  // the mark of the end
        std::string piece(static_cast<std::size_t>(buffer.file_last - buffer.file_pos), '\0');
        const ssize_t n =
            ngx_read_file(buffer.file, reinterpret_cast<u_char*>(piece.data()), piece.size(), buffer.file_pos);
        if (n != static_cast<ssize_t>(piece.size())) { throw std::bad_alloc(); }
        text += piece;
    }
    return text;
}

void on_body(ngx_http_request_t* r) noexcept {
    // Not by nginx's pointer, which is for a Connection.
    auto* call = find_object<Call>(r->pool, [r](const Call& each) { return each.request == r; });
    try {
        auto& act = std::get<control::Act>(call->question);
        auto text = body_of(r);
        if (!text) {
            ngx_http_finalize_request(r,
                                      send(r, control::problem(control::status::too_large, "the body is too large")));
            return;
        }
        control::body(act) = *std::move(text);
        if (const auto wrong = control::refuse_body(act.command)) {
            ngx_http_finalize_request(r, send(r, control::problem(control::status::bad_request, *wrong)));
            return;
        }
        ask(*call);
    } catch (...) { ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR); }
}

std::variant<control::Request, control::Refusal> route(ngx_http_request_t* r) {
    const std::string_view prefix = location_conf(r).control->prefix;
    const ngx_str_t* type = r->headers_in.content_type != nullptr ? &r->headers_in.content_type->value : nullptr;
    return control::route({.method = view(r->method_name),
                           .path = view(r->uri).substr(std::min(prefix.size(), r->uri.len)),
                           .query = view(r->args),
                           .content_type = type != nullptr ? view(*type) : std::string_view{}});
}

ngx_int_t refuse(ngx_http_request_t* r, const control::Refusal& refusal) {
    if (!refusal.allow.empty()) { add_response_header(*r, "Allow", refusal.allow); }
    if (const ngx_int_t rc = ngx_http_discard_request_body(r); rc != NGX_OK) { return rc; }
    return send(r, control::problem(refusal.status, refusal.detail));
}

ngx_int_t handle(ngx_http_request_t* r) noexcept try {
    auto routed = route(r);
    if (const auto* refusal = std::get_if<control::Refusal>(&routed)) { return refuse(r, *refusal); }
    auto* call = make_object<Call>(r->pool, r, std::move(std::get<control::Request>(routed)));
    if (control::wants_body(call->question)) {
        const ngx_int_t rc = ngx_http_read_client_request_body(r, on_body);
        return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
    }
    if (const ngx_int_t rc = ngx_http_discard_request_body(r); rc != NGX_OK) { return rc; }
    ask(*call);
    r->main->count++;
    return NGX_DONE;
} catch (...) { return NGX_HTTP_INTERNAL_SERVER_ERROR; }

char* wrong(ngx_conf_t* cf, const char* format, ngx_str_t* location) noexcept {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, format, location);
    return static_cast<char*>(NGX_CONF_ERROR);
}

char* set_parameter(ngx_conf_t* cf, std::string_view text, ControlSettings& settings) {
    static constexpr std::string_view channel = "channel=";
    static constexpr std::string_view timeout = "timeout=";
    if (text.starts_with(channel)) {
        settings.channel = text.substr(channel.size());
        const bool fit =
            !settings.channel.empty() && settings.channel.size() <= 128 &&
            std::ranges::all_of(settings.channel, [](char c) { return c > ' ' && c <= '~' && c != '{' && c != '}'; });
        return fit ? ok() : wrong_value(cf, text, "channel=NAME, at most 128 visible ASCII characters without braces");
    }
    if (text.starts_with(timeout)) {
        ngx_str_t value{text.size() - timeout.size(),
                        reinterpret_cast<u_char*>(const_cast<char*>(text.data() + timeout.size()))};
        const ngx_int_t time = ngx_parse_time(&value, 0);
        if (time != NGX_ERROR && time > 0) {
            settings.timeout = static_cast<ngx_msec_t>(time);
            return ok();
        }
        return wrong_value(cf, text, "timeout=TIME, above 0, such as timeout=2s");
    }
    return wrong_value(cf, text, "channel=NAME or timeout=TIME");
}

}  // namespace

char* set_ws_control(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept try {
    auto& own = *static_cast<LocationConf*>(conf);
    if (own.control != nullptr) { return error(cf, "is duplicate"); }
    own.control = make_object<ControlSettings>(cf->pool);
    own.control->channel = "ws:control";
    own.control->timeout = default_timeout;
    for (const ngx_str_t& parameter : parameters(cf)) {
        if (char* result = set_parameter(cf, view(parameter), *own.control); result != ok()) { return result; }
    }
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    core->handler = handle;
    return ok();
} catch (...) { return static_cast<char*>(NGX_CONF_ERROR); }

char* merge_ws_control(ngx_conf_t* cf, const LocationConf& outer, LocationConf& inner) noexcept try {
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (inner.control == nullptr) {
        // In `if` the outer handler stays.
        if (core->noname) { inner.control = outer.control; }
        return NGX_CONF_OK;
    }
    if (core->handler != handle) {
        return wrong(cf, "\"ws_control\" can't share location \"%V\" with another directive that answers its requests",
                     &core->name);
    }
    bool prefix = !core->exact_match && !core->named && !core->noname;
#if (NGX_PCRE)
    prefix = prefix && core->regex == nullptr;
#endif
    if (!prefix) {
        return wrong(cf,
                     "\"ws_control\" needs a location that is a prefix, such as \"location /ws-control/\", not \"%V\"",
                     &core->name);
    }
    if (inner.redis == nullptr) {
        return wrong(cf,
                     "\"ws_control\" in location \"%V\" needs a server by which the workers reach each other: add "
                     "\"ws_redis redis://HOST:PORT;\" at this level or above",
                     &core->name);
    }
    if (inner.has_hook()) {
        return wrong(cf,
                     "\"ws_auth\" doesn't guard \"ws_control\" in location \"%V\": use allow, deny, auth_basic or "
                     "auth_request",
                     &core->name);
    }
    for (const ControlSettings* other : *main_conf(cf).controls) {
        if (other->redis == inner.redis && other->channel != inner.control->channel) {
            return wrong(cf, "\"ws_control\" in location \"%V\" has another channel than others with this ws_redis",
                         &core->name);
        }
    }
    inner.control->redis = inner.redis;
    inner.control->prefix = view(core->name);
    while (inner.control->prefix.ends_with('/')) { inner.control->prefix.pop_back(); }
    main_conf(cf).controls->push_back(inner.control);
    return NGX_CONF_OK;
} catch (...) { return static_cast<char*>(NGX_CONF_ERROR); }

}  // namespace ws::nginx
