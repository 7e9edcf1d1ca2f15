// The header lines of a client's request: reading them, hiding some from the backend, adding some for it; and lines for
// the answer.
#pragma once

#include "nginx/ngx.h"

#include <span>
#include <string_view>
#include <vector>

#include "websocket/handshake.h"

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

// All lines of an nginx header list; the views live as long as the list's elements.
[[nodiscard]] std::vector<websocket::Header> header_lines(const ngx_list_t& headers);

// The values of all lines with this name (any case).
[[nodiscard]] std::vector<std::string_view> header_values(const ngx_http_request_t& r, std::string_view name);

// Those of the answer to the client.
[[nodiscard]] std::vector<std::string_view> response_header_values(const ngx_http_request_t& r, std::string_view name);

// Gives a subrequest a list of its own: nginx's copy shares the lines with its parent's, and a line added to it would land
// there. Throws std::bad_alloc.
void own_headers(ngx_http_request_t& subrequest);

// Keeps every line with this name from the backend. Letters and digits decide: '-' and '_' look the same to CGI-like
// backends, to some of them any other sign as well.
void hide_header(ngx_http_request_t& r, std::string_view name);

// Gives the one line with this name (any case) another value, and hides further ones. No line: nothing. The value has to
// live as long as the request.
void replace_header(ngx_http_request_t& r, std::string_view name, ngx_str_t value);

// Adds a line for the backend. Copied. Throws std::bad_alloc.
void add_header(ngx_http_request_t& r, std::string_view name, std::string_view value);

// The same with a value, such as a large context, that is not copied: it has to live as long as the request.
void add_lasting_header(ngx_http_request_t& r, std::string_view name, std::string_view value);

// Adds a line to the answer to the client. Copied. Throws std::bad_alloc.
void add_response_header(ngx_http_request_t& r, std::string_view name, std::string_view value);

// Takes a cookie out of all Cookie lines. Throws std::bad_alloc.
void strip_cookie(ngx_http_request_t& r, std::string_view name);

}  // namespace ws::nginx
