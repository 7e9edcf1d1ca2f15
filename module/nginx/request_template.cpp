#include "nginx/request_template.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "context/cloud_event.h"
#include "nginx/connection.h"
#include "nginx/request_headers.h"
#include "websocket/header_value.h"

namespace ws::nginx {

namespace {

constexpr std::size_t most_own_lines = 8;

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

// Is this line for the first request alone? The trace of the upgrade is, unless each message belongs to it.
bool open_only(const LocationConf& conf, std::string_view line) {
    return conf.traces() == Traces::on &&
           (websocket::same_text(line, "traceparent") || websocket::same_text(line, "tracestate"));
}

std::span<ngx_table_elt_t> kept(ngx_pool_t* pool, const std::vector<ngx_table_elt_t>& lines) {
    auto* copied = static_cast<ngx_table_elt_t*>(ngx_palloc(pool, lines.size() * sizeof(ngx_table_elt_t)));
    if (copied == nullptr) { throw std::bad_alloc(); }
    std::ranges::copy(lines, copied);
    return {copied, lines.size()};
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

RequestTemplate::RequestTemplate(const Connection& parent) : parent_(parent) {
    ngx_http_request_t& r = *parent.request;
    request_line_ = copy(r.pool, "POST " + std::string(view(r.unparsed_uri)) + " HTTP/1.1");
    source_ = copy(r.pool, context::cloud_event_attribute(source_of(r)));
    std::string offered;
    for (const std::string_view names : header_values(r, "Sec-WebSocket-Protocol")) {
        offered.append(offered.empty() ? "" : ", ").append(names);
    }
    subprotocols_ = copy(r.pool, offered);

    std::vector<ngx_table_elt_t> lines;
    std::vector<ngx_table_elt_t> open_lines;
    for_each_header(r.headers_in.headers, [&](const ngx_table_elt_t& line) {
        if (left_out(view(line.key))) { return; }
        std::vector<ngx_table_elt_t>& list = open_only(*parent.conf, view(line.key)) ? open_lines : lines;
        list.push_back(line);
#if (nginx_version >= 1023000)
        list.back().next = nullptr;
#endif
    });
    lines.push_back(own_line("X-WS-Connection-Id", "x-ws-connection-id", literal(parent.id)));
    lines.push_back(own_line("ce-specversion", "ce-specversion", literal("1.0")));
    lines.push_back(own_line("ce-source", "ce-source", source_));
    lines.push_back(own_line("ce-connectionid", "ce-connectionid", literal(parent.id)));
    lines_ = kept(r.pool, lines);
    open_lines_ = kept(r.pool, open_lines);
}

void RequestTemplate::apply(ngx_http_request_t& r, const relay::HttpEvent& event, std::string_view context) const {
    const ngx_http_request_t& upgrade = *parent_.request;
    r.method = NGX_HTTP_POST;
    ngx_str_set(&r.method_name, "POST");
    ngx_str_set(&r.http_protocol, "HTTP/1.1");
    r.http_version = NGX_HTTP_VERSION_11;
    r.request_line = request_line_;
    r.uri = upgrade.uri;
    r.args = upgrade.args;
    r.exten = upgrade.exten;
    r.unparsed_uri = upgrade.unparsed_uri;
    r.valid_unparsed_uri = upgrade.valid_unparsed_uri;
    r.main_conf = upgrade.main_conf;
    r.srv_conf = upgrade.srv_conf;
    r.loc_conf = upgrade.loc_conf;

    r.headers_in = upgrade.headers_in;
    for (ngx_table_elt_t** line : {
             &r.headers_in.connection, &r.headers_in.if_modified_since, &r.headers_in.if_unmodified_since,
                 &r.headers_in.if_match, &r.headers_in.if_none_match, &r.headers_in.content_length,
                 &r.headers_in.content_range, &r.headers_in.content_type, &r.headers_in.range, &r.headers_in.if_range,
                 &r.headers_in.transfer_encoding, &r.headers_in.te, &r.headers_in.expect, &r.headers_in.upgrade,
#if (NGX_HTTP_GZIP || NGX_HTTP_HEADERS)
                 &r.headers_in.accept_encoding,
#endif
                 &r.headers_in.keep_alive
         }) {
        *line = nullptr;
    }
    r.headers_in.connection_type = 0;
    r.headers_in.chunked = 0;
    r.headers_in.keep_alive_n = -1;
    r.headers_in.content_length_n = static_cast<off_t>(event.body.size());
    add(r, event, context);
}

// The common lines are shared, and come first; what nginx or a module may add to the list goes behind our own.
void RequestTemplate::add(ngx_http_request_t& r, const relay::HttpEvent& event, std::string_view context) const {
    ngx_list_t& list = r.headers_in.headers;
    auto* own = static_cast<ngx_list_part_t*>(ngx_palloc(r.pool, sizeof(ngx_list_part_t)));
    const bool open = event.kind == relay::HttpEvent::Kind::open;
    const std::size_t most = most_own_lines + (open ? open_lines_.size() : 0);
    auto* lines = static_cast<ngx_table_elt_t*>(ngx_palloc(r.pool, most * sizeof(ngx_table_elt_t)));
    if (own == nullptr || lines == nullptr) { throw std::bad_alloc(); }
    *own = {lines, 0, nullptr};
    const auto push = [&](ngx_table_elt_t line) {
        lines[own->nelts] = line;
        return &lines[own->nelts++];
    };

    r.headers_in.content_length =
        push(own_line("Content-Length", "content-length", copy(r.pool, std::to_string(event.body.size()))));
    if (!event.content_type.empty()) {
        r.headers_in.content_type = push(own_line("Content-Type", "content-type", literal(event.content_type)));
    }
    push(own_line("ce-type", "ce-type", copy(r.pool, "websocket." + std::string(name(event.kind)))));
    push(own_line("ce-id", "ce-id", copy(r.pool, parent_.id + "/" + std::to_string(event.sequence))));
    push(own_line("ce-time", "ce-time", time_now(r.pool)));
    if (!context.empty()) {
        const ngx_str_t name = literal(parent_.conf->header->name);
        auto* lowcase = static_cast<u_char*>(ngx_pnalloc(r.pool, name.len));
        if (lowcase == nullptr) { throw std::bad_alloc(); }
        ngx_strlow(lowcase, name.data, name.len);
        push(header_line(name, lowcase, literal(context)));
    }
    if (open) { std::ranges::for_each(open_lines_, push); }
    if (open && subprotocols_.len > 0) {
        push(own_line("Sec-WebSocket-Protocol", "sec-websocket-protocol", subprotocols_));
    }

    list.part = {lines_.data(), lines_.size(), own};
    list.last = own;
    list.size = sizeof(ngx_table_elt_t);
    list.nalloc = most;
    list.pool = r.pool;
}

}  // namespace ws::nginx
