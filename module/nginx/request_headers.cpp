#include "nginx/request_headers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "websocket/header_value.h"

namespace ws::nginx {

namespace {

// Letters and digits decide, in any case.
bool looks_like(std::string_view a, std::string_view b) noexcept {
    const auto fold = [](char c) {
        if (c >= 'A' && c <= 'Z') { return static_cast<char>(c + 32); }
        const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        return alphanumeric ? c : '-';
    };
    return a.size() == b.size() && (a == b || std::ranges::equal(a, b, {}, fold, fold));
}

std::vector<std::string_view> values(const ngx_list_t& headers, std::string_view name) {
    std::vector<std::string_view> values;
    for_each_header(headers, [&](const ngx_table_elt_t& line) {
        if (websocket::same_text(view(line.key), name)) { values.push_back(view(line.value)); }
    });
    return values;
}

// Not altered: the type is nginx's.
ngx_str_t not_copied(std::string_view text) noexcept {
    return {text.size(), reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
}

// proxy_pass passes on what is not in its table of hidden names, and looks at nothing but the name: so the line takes a
// name that is always in it. The list itself can't shrink, since headers_in points into it, and variables such as
// $http_cookie read what it points to.
void hide(ngx_table_elt_t& line) noexcept {
    static u_char hidden[] = "Keep-Alive";
    static u_char lowcase[] = "keep-alive";
    line.key = {sizeof(hidden) - 1, hidden};
    line.lowcase_key = lowcase;
    line.hash = ngx_hash_key(lowcase, sizeof(lowcase) - 1);
    line.value = {0, lowcase};
}

}  // namespace

std::vector<std::string_view> header_values(const ngx_http_request_t& r, std::string_view name) {
    return values(r.headers_in.headers, name);
}

HeaderValue header_value(const ngx_http_request_t& r, std::string_view name) noexcept {
    HeaderValue value;
    for_each_header(r.headers_in.headers, [&](const ngx_table_elt_t& line) {
        if (websocket::same_text(view(line.key), name) && value.lines++ == 0) { value.first = view(line.value); }
    });
    return value;
}

std::vector<std::string_view> response_header_values(const ngx_http_request_t& r, std::string_view name) {
    return values(r.headers_out.headers, name);
}

std::vector<std::string_view> upstream_header_values(const ngx_http_request_t& r, std::string_view name) {
    return values(r.upstream->headers_in.headers, name);
}

void own_headers(ngx_http_request_t& subrequest) {
    ngx_list_t own;
    if (ngx_list_init(&own, subrequest.pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) { throw std::bad_alloc(); }
    ngx_list_t& list = subrequest.headers_in.headers;
    // A list of one part that is a copy has its end in the original.
    for_each_header(list, [&own](const ngx_table_elt_t& line) {
        auto* copied = static_cast<ngx_table_elt_t*>(ngx_list_push(&own));
        if (copied == nullptr) { throw std::bad_alloc(); }
        *copied = line;
    });
    const bool one_part = own.last == &own.part;
    list = own;
    if (one_part) { list.last = &list.part; }
}

void hide_headers(ngx_http_request_t& r, std::span<const std::string_view> names) noexcept {
    for_each_header(r.headers_in.headers, [names](ngx_table_elt_t& line) {
        const std::string_view key = view(line.key);
        if (std::ranges::any_of(names, [key](std::string_view name) { return looks_like(key, name); })) { hide(line); }
    });
}

void hide_header(ngx_http_request_t& r, std::string_view name) noexcept { hide_headers(r, {&name, 1}); }

void replace_header(ngx_http_request_t& r, std::string_view name, ngx_str_t value) {
    bool replaced = false;
    for_each_header(r.headers_in.headers, [&](ngx_table_elt_t& line) {
        if (!websocket::same_text(view(line.key), name)) { return; }
        if (std::exchange(replaced, true)) {
            hide(line);
        } else {
            line.value = value;
        }
    });
}

HeaderName::HeaderName(std::string_view name) : text_(name), lowcase_(name) {
    auto* lowcase = reinterpret_cast<u_char*>(lowcase_.data());
    ngx_strlow(lowcase, lowcase, lowcase_.size());
    hash_ = ngx_hash_key(lowcase, lowcase_.size());
}

ngx_table_elt_t HeaderName::line(std::string_view value) const noexcept {
    ngx_table_elt_t line{};
    line.hash = hash_;
    line.key = not_copied(text_);
    line.lowcase_key = not_copied(lowcase_).data;
    line.value = not_copied(value);
    return line;
}

void add_header(ngx_http_request_t& r, const HeaderName& name, std::string_view value) {
    auto* line = static_cast<ngx_table_elt_t*>(ngx_list_push(&r.headers_in.headers));
    if (line == nullptr) { throw std::bad_alloc(); }
    *line = name.line(value);
}

void add_response_header(ngx_http_request_t& r, std::string_view name, std::string_view value) {
    auto* line = static_cast<ngx_table_elt_t*>(ngx_list_push(&r.headers_out.headers));
    if (line == nullptr) { throw std::bad_alloc(); }
    *line = {};
    line->hash = 1;
    line->key = copy(r.pool, name);
    line->value = copy(r.pool, value);
}

void strip_cookie(ngx_http_request_t& r, std::string_view name) {
    for_each_header(r.headers_in.headers, [&](ngx_table_elt_t& line) {
        if (!websocket::same_text(view(line.key), "Cookie")) { return; }
        std::string kept;
        bool found = false;
        for (std::string_view rest = view(line.value); !rest.empty();) {
            const std::size_t end = std::min(rest.find(';'), rest.size());
            const std::string_view pair = websocket::trim(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (websocket::trim(pair.substr(0, pair.find('='))) == name) {
                found = true;
            } else if (!pair.empty()) {
                kept.append(kept.empty() ? "" : "; ").append(pair);
            }
        }
        if (!found) { return; }
        if (kept.empty()) {
            hide(line);
        } else {
            line.value = copy(r.pool, kept);
        }
    });
}

}  // namespace ws::nginx
