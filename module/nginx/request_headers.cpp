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

std::vector<websocket::Header> header_lines(const ngx_list_t& headers) {
    std::size_t count = 0;
    for (const ngx_list_part_t* part = &headers.part; part != nullptr; part = part->next) { count += part->nelts; }
    std::vector<websocket::Header> lines;
    lines.reserve(count);
    for_each_header(headers, [&lines](const ngx_table_elt_t& line) {
        lines.push_back({view(line.key), view(line.value)});
    });
    return lines;
}

std::vector<std::string_view> header_values(const ngx_http_request_t& r, std::string_view name) {
    return values(r.headers_in.headers, name);
}

std::vector<std::string_view> response_header_values(const ngx_http_request_t& r, std::string_view name) {
    return values(r.headers_out.headers, name);
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

void hide_header(ngx_http_request_t& r, std::string_view name) {
    for_each_header(r.headers_in.headers, [name](ngx_table_elt_t& line) {
        if (looks_like(view(line.key), name)) { hide(line); }
    });
}

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

void add_header(ngx_http_request_t& r, std::string_view name, std::string_view value) {
    add_lasting_header(r, name, view(copy(r.pool, value)));
}

void add_lasting_header(ngx_http_request_t& r, std::string_view name, std::string_view value) {
    const ngx_str_t key = copy(r.pool, name);
    const ngx_str_t lowcase = copy(r.pool, name);
    ngx_strlow(lowcase.data, lowcase.data, lowcase.len);
    auto* line = static_cast<ngx_table_elt_t*>(ngx_list_push(&r.headers_in.headers));
    if (line == nullptr) { throw std::bad_alloc(); }
    *line = {};
    line->hash = ngx_hash_key(lowcase.data, lowcase.len);
    line->key = key;
    line->lowcase_key = lowcase.data;
    line->value = not_copied(value);
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
