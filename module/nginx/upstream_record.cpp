#include "nginx/upstream_record.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "nginx/own_texts.h"
#include "nginx/request_headers.h"
#include "websocket/header_value.h"

namespace ws::nginx {

namespace {

std::unique_ptr<ngx_http_upstream_resolved_t> host_of(const ngx_http_upstream_t& upstream) {
    if (upstream.resolved == nullptr) { return nullptr; }
    auto host = std::make_unique<ngx_http_upstream_resolved_t>();
    host->host = upstream.resolved->host;
    host->port = upstream.resolved->port;
    host->no_port = upstream.resolved->no_port;
    return host;
}

bool is_of_handshake(const ngx_table_elt_t& line) noexcept {
    static constexpr std::array<std::string_view, 3> names{"Upgrade", "Connection", "Sec-WebSocket-Accept"};
    return std::ranges::any_of(names,
                               [&line](std::string_view name) { return websocket::same_text(view(line.key), name); });
}

std::vector<ngx_table_elt_t> lines_of(const ngx_http_upstream_t& upstream) {
    std::vector<ngx_table_elt_t> lines;
    for_each_header(upstream.headers_in.headers, [&lines](const ngx_table_elt_t& line) {
        if (is_of_handshake(line)) { return; }
        ngx_table_elt_t& kept = lines.emplace_back();
        kept.hash = line.hash;
        kept.key = line.key;
        kept.value = line.value;
    });
    lines.shrink_to_fit();
    return lines;
}

bool goes_with_upstream(std::string_view variable) noexcept {
    static constexpr std::array<std::string_view, 3> prefixes{"upstream_http_", "upstream_cookie_",
                                                              "upstream_trailer_"};
    return variable == "proxy_host" || variable == "proxy_port" ||
           std::ranges::any_of(prefixes, [variable](std::string_view prefix) { return variable.starts_with(prefix); });
}

}  // namespace

UpstreamRecord::UpstreamRecord(const ngx_http_request_t& r)
    : conf_(r.upstream->conf),
      upstream_(r.upstream->upstream),
      resolved_(host_of(*r.upstream)),
      schema_(r.upstream->schema),
      uri_(r.upstream->uri),
      start_time_(r.upstream->start_time),
      unix_socket_(r.upstream->peer.sockaddr->sa_family == AF_UNIX),
      lines_(lines_of(*r.upstream)) {
    const auto* states = static_cast<const ngx_http_upstream_state_t*>(r.upstream_states->elts);
    states_.assign(states, states + r.upstream_states->nelts);
    names_.resize(states_.size());
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (states_[i].peer == nullptr) { continue; }  // between two upstreams
        names_[i] = *states_[i].peer;
        states_[i].peer = &names_[i];
    }
    texts_ = own_texts([this](auto visit) {
        for (ngx_str_t* text : {&schema_, &uri_}) { visit(text->data, text->len); }
        for (ngx_str_t& name : names_) { visit(name.data, name.len); }
        for (ngx_table_elt_t& line : lines_) {
            visit(line.key.data, line.key.len);
            visit(line.value.data, line.value.len);
        }
        if (resolved_ != nullptr) { visit(resolved_->host.data, resolved_->host.len); }
    });
}

void UpstreamRecord::end(off_t sent) noexcept {
    ngx_http_upstream_state_t& state = states_.back();
    state.response_time = ngx_current_msec - start_time_;
    state.bytes_sent = sent;
}

void UpstreamRecord::restore(ngx_http_request_t& r) {
    auto* states = static_cast<ngx_array_t*>(ngx_palloc(r.pool, sizeof(ngx_array_t)));
    auto* upstream = static_cast<ngx_http_upstream_t*>(ngx_pcalloc(r.pool, sizeof(ngx_http_upstream_t)));
    if (states == nullptr || upstream == nullptr) { throw std::bad_alloc(); }
    *states = {states_.data(), states_.size(), sizeof(ngx_http_upstream_state_t), states_.size(), r.pool};
    set_target(*upstream);
    upstream->conf = conf_;
    upstream->upstream = upstream_;
    upstream->resolved = resolved_.get();
    upstream->start_time = start_time_;
    upstream->state = &states_.back();
    upstream->headers_in.status_n = states_.back().status;
    upstream->headers_in.content_length_n = -1;
    upstream->headers_in.headers.part = {lines_.data(), lines_.size(), nullptr};
    upstream->peer.log = r.connection->log;
    upstream->peer.sockaddr = nullptr;  // the server has been freed
    upstream->request_sent = 1;
    upstream->header_sent = 1;
    upstream->upgrade = 1;
    r.upstream_states = states;
    r.upstream = upstream;
}

void UpstreamRecord::set_target(ngx_http_upstream_t& upstream) const noexcept {
    static sockaddr unix_address = [] {
        sockaddr address{};  // nginx looks at nothing but its family
        address.sa_family = AF_UNIX;
        return address;
    }();
    upstream.schema = schema_;
    upstream.uri = uri_;
    upstream.peer.name = states_.back().peer;
    upstream.peer.sockaddr = unix_socket_ ? &unix_address : nullptr;
}

void find_upstream_variables(ngx_http_request_t& r) noexcept {
    const auto* core =
        static_cast<ngx_http_core_main_conf_t*>(ngx_http_get_module_main_conf((&r), ngx_http_core_module));
    const auto* variables = static_cast<const ngx_http_variable_t*>(core->variables.elts);
    for (ngx_uint_t i = 0; i < core->variables.nelts; ++i) {
        if (!goes_with_upstream(view(variables[i].name))) { continue; }
        (void)ngx_http_get_flushed_variable(&r, i);
        r.variables[i].no_cacheable = 0;
    }
}

}  // namespace ws::nginx
