// The header lines of a client's request: reading them, hiding some from the backend, adding some for it; and lines for
// the answer.
#pragma once

#include "nginx/ngx.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ws::nginx {

// Visits the lines of an nginx header list that count.
template <class Visit>
void for_each_header(const ngx_list_t& headers, Visit visit) {
    for (const ngx_list_part_t* part = &headers.part; part != nullptr; part = part->next) {
        auto* lines = static_cast<ngx_table_elt_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; ++i) {
            if (lines[i].hash != 0) { visit(lines[i]); }
        }
    }
}

// The values of all lines with this name (any case); the views live as long as the list's elements.
[[nodiscard]] std::vector<std::string_view> header_values(const ngx_http_request_t& r, std::string_view name);

// The same where more than one are as good as none.
struct HeaderValue {
    std::size_t lines = 0;
    std::string_view first;
};
[[nodiscard]] HeaderValue header_value(const ngx_http_request_t& r, std::string_view name) noexcept;

// Those of the answer to the client.
[[nodiscard]] std::vector<std::string_view> response_header_values(const ngx_http_request_t& r, std::string_view name);

// Those of the backend's answer, whether the client gets them or not.
[[nodiscard]] std::vector<std::string_view> upstream_header_values(const ngx_http_request_t& r, std::string_view name);

// Gives a subrequest a list of its own: nginx's copy shares the lines with its parent's, and a line added to it would land
// there. Throws std::bad_alloc.
void own_headers(ngx_http_request_t& subrequest);

// Keeps every line with this name from the backend. Letters and digits decide: '-' and '_' look the same to CGI-like
// backends, to some of them any other sign as well.
void hide_headers(ngx_http_request_t& r, std::span<const std::string_view> names) noexcept;
void hide_header(ngx_http_request_t& r, std::string_view name) noexcept;

// Gives the one line with this name (any case) another value, and hides further ones. No line: nothing. The value has to
// live as long as the request.
void replace_header(ngx_http_request_t& r, std::string_view name, ngx_str_t value);

// A header's name with all that nginx wants to have of it.
class HeaderName {
public:
    explicit HeaderName(std::string_view name);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
    // Views of this object and of `value`.
    [[nodiscard]] ngx_table_elt_t line(std::string_view value) const noexcept;

private:
    std::string text_;
    std::string lowcase_;
    ngx_uint_t hash_;
};

// Adds a line for the backend. Neither name nor value are copied: they have to live as long as the request. Throws std::bad_alloc.
void add_header(ngx_http_request_t& r, const HeaderName& name, std::string_view value);

// Adds a line to the answer to the client. Copied. Throws std::bad_alloc.
void add_response_header(ngx_http_request_t& r, std::string_view name, std::string_view value);

// Takes a cookie out of all Cookie lines. Throws std::bad_alloc.
void strip_cookie(ngx_http_request_t& r, std::string_view name);

}  // namespace ws::nginx
