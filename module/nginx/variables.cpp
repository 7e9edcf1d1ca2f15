#include "nginx/variables.h"

#include <optional>
#include <string>
#include <vector>

#include "auth/sha256.h"
#include "context/token.h"
#include "nginx/connection.h"
#include "nginx/detached_request.h"
#include "nginx/object.h"
#include "nginx/template.h"
#include "nginx/tunnel.h"

namespace ws::nginx {

namespace {

using Text = std::optional<std::string>;

Text token(ngx_http_request_t* r, std::string_view) {
    const Connection* connection = Connection::of(r);
    return connection != nullptr && !connection->token.empty() ? Text(connection->token) : std::nullopt;
}

Text token_sha256(ngx_http_request_t* r, std::string_view) {
    const Connection* connection = Connection::of(r);
    return connection != nullptr && !connection->token.empty() ? Text(auth::sha256_hex(connection->token))
                                                               : std::nullopt;
}

// Which arguments have tokens: for the location, and for those that the request has come through.
std::vector<std::string_view> token_arguments(ngx_http_request_t* r) {
    std::vector<std::string_view> names;
    const auto add = [&names](const LocationConf& conf) {
        if (conf.tokens == nullptr) { return; }
        for (const TokenSource& source : *conf.tokens) {
            if (source.kind == TokenSource::Kind::argument) { names.push_back(source.name); }
        }
    };
    add(location_conf(r));
    (void)find_object<Connection>(r->pool, [&add](const Connection& connection) {
        add(connection.hook_conf != nullptr ? *connection.hook_conf : *connection.conf);
        return false;
    });
    return names;
}

Text request_line(ngx_http_request_t* r, std::string_view) {
    const std::string_view line = view(r->request_line);
    const std::vector<std::string_view> names = token_arguments(r);
    const std::size_t mark = line.find('?');
    if (names.empty() || mark == std::string_view::npos) { return std::string(line); }
    const std::size_t blank = line.rfind(' ');
    const std::size_t end = blank != std::string_view::npos && blank > mark ? blank : line.size();
    return std::string(line.substr(0, mark + 1))
        .append(context::without_values(line.substr(mark + 1, end - mark - 1), names))
        .append(line.substr(end));
}

Text connection_id(ngx_http_request_t* r, std::string_view) {
    const Connection* connection = Connection::of(r);
    return connection != nullptr ? Text(connection->id) : std::nullopt;
}

Text traceparent(ngx_http_request_t* r, std::string_view) {
    const Connection* connection = Connection::of(r);
    return connection != nullptr && !connection->traceparent.empty() ? Text(connection->traceparent) : std::nullopt;
}

Text auth_status(ngx_http_request_t* r, std::string_view) {
    const Connection* connection = Connection::of(r);
    return std::string(name(connection != nullptr ? connection->auth : AuthStatus::off));
}

// In the request of an event, the connection's context as it is with that event; else as it was with the upgrade.
const context::Context* context_of(ngx_http_request_t* r) noexcept {
    if (const DetachedRequest* request = DetachedRequest::of(r)) { return &request->context(); }
    const Connection* connection = Connection::of(r);
    return connection != nullptr ? connection->context.get() : nullptr;
}

Text whole_context(ngx_http_request_t* r, std::string_view) {
    const context::Context* context = context_of(r);
    return context != nullptr ? Text(context->json()) : std::nullopt;
}

// $ws_context_user__id: the member "user__id" if there is one, else "id" in "user".
Text context_member(ngx_http_request_t* r, std::string_view variable) {
    static constexpr std::string_view prefix = "ws_context_";
    const context::Context* context = context_of(r);
    if (context == nullptr) { return std::nullopt; }
    std::string path(variable.substr(prefix.size()));
    if (Text value = context->member(path)) { return value; }
    for (std::size_t at = path.find("__"); at != std::string::npos; at = path.find("__", at + 1)) {
        path.replace(at, 2, ".");
    }
    return context->member(path);
}

Text event(ngx_http_request_t* r, std::string_view) {
    const DetachedRequest* request = DetachedRequest::of(r);
    return request != nullptr ? Text(name(request->event().kind)) : std::nullopt;
}

Text sequence(ngx_http_request_t* r, std::string_view) {
    const DetachedRequest* request = DetachedRequest::of(r);
    return request != nullptr ? Text(std::to_string(request->event().sequence)) : std::nullopt;
}

// Seconds with milliseconds, as nginx writes times.
Text auth_time(ngx_http_request_t* r, std::string_view) {
    const Connection* connection = Connection::of(r);
    if (connection == nullptr || !connection->answered) { return std::nullopt; }
    const std::string ms = std::to_string(1000 + connection->lookup.count() / 1000 % 1000);
    return std::to_string(connection->lookup.count() / 1000000) + "." + ms.substr(1);
}

Text auth_cached(ngx_http_request_t* r, std::string_view) {
    const Connection* connection = Connection::of(r);
    if (connection == nullptr || !connection->answered) { return std::nullopt; }
    return connection->cached ? "hit" : "miss";
}

Text context_refreshes(ngx_http_request_t* r, std::string_view) {
    const Connection* connection = Connection::of(r);
    if (connection == nullptr || connection->context == nullptr) { return std::nullopt; }
    return std::to_string(connection->refreshes);
}

// Of the WebSocket that is open, or was.
std::optional<Summary> summary(ngx_http_request_t* r) {
    const Connection* connection = Connection::of(r);
    if (connection == nullptr) { return std::nullopt; }
    if (connection->summary || connection->tunnel == nullptr) { return connection->summary; }
    return connection->tunnel->summary();
}

template <std::uint64_t status::Traffic::*figure>
Text traffic(ngx_http_request_t* r, std::string_view) {
    const auto known = summary(r);
    return known ? Text(std::to_string(known->traffic.*figure)) : std::nullopt;
}

Text close_code(ngx_http_request_t* r, std::string_view) {
    const auto known = summary(r);
    return known && known->close_code != 0 ? Text(std::to_string(known->close_code)) : std::nullopt;
}

Text closed_by(ngx_http_request_t* r, std::string_view) {
    const auto known = summary(r);
    if (!known || known->close_code == 0) { return std::nullopt; }
    return std::string(status::closers[static_cast<std::size_t>(known->closed_by)]);
}

Text time_ms(ngx_http_request_t*, std::string_view) {
    const ngx_time_t* now = ngx_timeofday();
    return std::to_string(static_cast<long long>(now->sec) * 1000 + static_cast<long long>(now->msec));
}

template <Text (*get)(ngx_http_request_t*, std::string_view)>
ngx_int_t handler(ngx_http_request_t* r, ngx_http_variable_value_t* value, uintptr_t data) noexcept try {
    // A prefix variable gets its whole name, the others their number.
    const std::string_view name =
        get == context_member ? view(*reinterpret_cast<ngx_str_t*>(data)) : std::string_view{};
    const Text text = get(r, name);
    if (!text) {
        value->not_found = 1;
        return NGX_OK;
    }
    const ngx_str_t kept = copy(r->pool, *text);
    value->valid = 1;
    value->no_cacheable = 0;
    value->not_found = 0;
    value->len = static_cast<unsigned>(kept.len) & 0xfffffff;
    value->data = kept.data;
    return NGX_OK;
} catch (...) {
    note_missing_variable();
    return NGX_ERROR;
}

// The answers change while a request goes on, so none is kept.
ngx_http_variable_t variables[] = {
    {ngx_string("ws_token"), nullptr, handler<token>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_token_sha256"), nullptr, handler<token_sha256>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_request"), nullptr, handler<request_line>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_context"), nullptr, handler<whole_context>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_context_"), nullptr, handler<context_member>, 0, NGX_HTTP_VAR_NOCACHEABLE | NGX_HTTP_VAR_PREFIX, 0},
    {ngx_string("ws_connection_id"), nullptr, handler<connection_id>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_traceparent"), nullptr, handler<traceparent>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_auth_status"), nullptr, handler<auth_status>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_auth_time"), nullptr, handler<auth_time>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_auth_cached"), nullptr, handler<auth_cached>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_context_refreshes"), nullptr, handler<context_refreshes>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_messages_in"), nullptr, handler<traffic<&status::Traffic::messages_in>>, 0,
     NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_messages_out"), nullptr, handler<traffic<&status::Traffic::messages_out>>, 0,
     NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_bytes_in"), nullptr, handler<traffic<&status::Traffic::bytes_in>>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_bytes_out"), nullptr, handler<traffic<&status::Traffic::bytes_out>>, 0, NGX_HTTP_VAR_NOCACHEABLE,
     0},
    {ngx_string("ws_pongs_missed"), nullptr, handler<traffic<&status::Traffic::pongs_missed>>, 0,
     NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_close_code"), nullptr, handler<close_code>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_closed_by"), nullptr, handler<closed_by>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_event"), nullptr, handler<event>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_sequence"), nullptr, handler<sequence>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("ws_time_ms"), nullptr, handler<time_ms>, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
};

}  // namespace

ngx_int_t add_variables(ngx_conf_t* cf) noexcept {
    for (ngx_http_variable_t& variable : variables) {
        ngx_http_variable_t* added = ngx_http_add_variable(cf, &variable.name, variable.flags);
        if (added == nullptr) { return NGX_ERROR; }
        added->get_handler = variable.get_handler;
        added->data = variable.data;
    }
    return NGX_OK;
}

}  // namespace ws::nginx
