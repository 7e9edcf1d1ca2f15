#include "nginx/request_template.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "context/cloud_event.h"
#include "nginx/connection.h"
#include "nginx/request_headers.h"
#include "websocket/header_value.h"

namespace ws::nginx {

namespace {

constexpr std::size_t most_own_lines = 12;

// Letters in lower case, and '-' for every other sign: '-' and '_' look the same to CGI-like backends.
std::string folded(std::string_view name) {
    std::string text(name);
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c + 32);
        } else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            c = '-';
        }
    }
    return text;
}

// Is this line of the upgrade request none for other requests? It is about the connection, about a body, wants a special
// kind of answer, or has a name that only the gateway's own lines may have.
bool left_out(std::string_view line) {
    static constexpr std::array<std::string_view, 11> names{
        "connection", "keep-alive",        "proxy-connection", "upgrade", "http2-settings",  "te",
        "trailer",    "transfer-encoding", "expect",           "range",   "accept-encoding",
    };
    static constexpr std::array<std::string_view, 5> prefixes{"content-", "if-", "sec-websocket-", "ce-", "x-ws-"};
    const std::string name = folded(line);
    return std::ranges::find(names, name) != names.end() ||
           std::ranges::any_of(prefixes, [&name](std::string_view prefix) { return name.starts_with(prefix); });
}

ngx_table_elt_t header_line(ngx_str_t key, u_char* lowcase, ngx_str_t value) noexcept {
    ngx_table_elt_t line{};
    line.hash = ngx_hash_key(lowcase, key.len);
    line.key = key;
    line.lowcase_key = lowcase;
    line.value = value;
    return line;
}

// Not altered: the type is nginx's.
u_char* bytes(std::string_view text) noexcept { return reinterpret_cast<u_char*>(const_cast<char*>(text.data())); }

ngx_str_t literal(std::string_view text) noexcept { return {text.size(), bytes(text)}; }

// A line of the gateway's own.
ngx_table_elt_t own_line(std::string_view name, std::string_view lowcase, ngx_str_t value) noexcept {
    return header_line(literal(name), bytes(lowcase), value);
}

std::string source_of(const ngx_http_request_t& r) {
    std::string source = "http";
#if (NGX_HTTP_SSL)
    if (r.connection->ssl != nullptr) { source += 's'; }
#endif
    source += "://";
    source += r.headers_in.host != nullptr ? view(r.headers_in.host->value) : view(r.headers_in.server);
    const std::string_view uri = view(r.unparsed_uri);
    source += uri.substr(0, uri.find('?'));
    return source;
}

ngx_str_t time_now(ngx_pool_t* pool) {
    const ngx_time_t* now = ngx_timeofday();
    ngx_tm_t tm;
    ngx_gmtime(now->sec, &tm);
    std::array<u_char, sizeof("2026-01-01T00:00:00.000Z")> text;
    const u_char* end =
        ngx_snprintf(text.data(), text.size(), "%4d-%02d-%02dT%02d:%02d:%02d.%03MZ", tm.ngx_tm_year, tm.ngx_tm_mon,
                     tm.ngx_tm_mday, tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec, now->msec);
    return copy(pool, {reinterpret_cast<char*>(text.data()), static_cast<std::size_t>(end - text.data())});
}

}  // namespace

// The trace of the upgrade is for the first request alone, unless each message belongs to it.
RequestTemplate::Passed RequestTemplate::passed(const LocationConf& conf, std::string_view line) {
    if (left_out(line)) { return Passed::never; }
    const bool trace = websocket::same_text(line, "traceparent") || websocket::same_text(line, "tracestate");
    return trace && conf.traces() == Traces::on ? Passed::with_open : Passed::always;
}

RequestTemplate::RequestTemplate(const Connection& parent)
    : parent_(parent),
      request_line_("POST " + std::string(view(parent.request->unparsed_uri)) + " HTTP/1.1"),
      source_(context::cloud_event_attribute(source_of(*parent.request))) {
    for (const std::string_view names : header_values(*parent.request, "Sec-WebSocket-Protocol")) {
        subprotocols_.append(subprotocols_.empty() ? "" : ", ").append(names);
    }
    passed_.reserve(parent.record->lines().size());
    for (const ngx_table_elt_t& line : parent.record->lines()) {
        passed_.push_back(passed(*parent.conf, view(line.key)));
    }
}

void RequestTemplate::apply(ngx_http_request_t& r, const relay::HttpEvent& event, std::string_view context) const {
    parent_.record->set_target(r);
    r.method = NGX_HTTP_POST;
    ngx_str_set(&r.method_name, "POST");
    ngx_str_set(&r.http_protocol, "HTTP/1.1");
    r.http_version = NGX_HTTP_VERSION_11;
    r.request_line = literal(request_line_);
    r.headers_in.content_length_n = static_cast<off_t>(event.body.size());

    const bool open = event.kind == relay::HttpEvent::Kind::open;
    const std::span<const ngx_table_elt_t> client = parent_.record->lines();
    auto* lines =
        static_cast<ngx_table_elt_t*>(ngx_palloc(r.pool, (client.size() + most_own_lines) * sizeof(ngx_table_elt_t)));
    if (lines == nullptr) { throw std::bad_alloc(); }
    std::size_t count = 0;
    const auto push = [&](const ngx_table_elt_t& line) { lines[count++] = line; };

    for (std::size_t i = 0; i < client.size(); ++i) {
        if (passed_[i] == Passed::always || (open && passed_[i] == Passed::with_open)) { push(client[i]); }
    }
    push(own_line("X-WS-Connection-Id", "x-ws-connection-id", literal(parent_.id)));
    push(own_line("ce-specversion", "ce-specversion", literal("1.0")));
    push(own_line("ce-source", "ce-source", literal(source_)));
    push(own_line("ce-connectionid", "ce-connectionid", literal(parent_.id)));
    push(own_line("Content-Length", "content-length", copy(r.pool, std::to_string(event.body.size()))));
    if (!event.content_type.empty()) { push(own_line("Content-Type", "content-type", literal(event.content_type))); }
    push(own_line("ce-type", "ce-type", copy(r.pool, "websocket." + std::string(name(event.kind)))));
    push(own_line("ce-id", "ce-id", copy(r.pool, std::string(parent_.id) + "/" + std::to_string(event.sequence))));
    push(own_line("ce-time", "ce-time", time_now(r.pool)));
    if (!context.empty()) { push(parent_.conf->header->name.line(context)); }
    if (open && !subprotocols_.empty()) {
        push(own_line("Sec-WebSocket-Protocol", "sec-websocket-protocol", literal(subprotocols_)));
    }
    RequestRecord::set_lines(r, {lines, count});
}

}  // namespace ws::nginx
