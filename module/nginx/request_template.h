// What the requests of one connection's events have in common: the lines of the client's upgrade request that are passed on, and the
// gateway's own that don't change. Made once, in the pool of the client's request.
#pragma once

#include "nginx/ngx.h"

#include <span>

#include "relay/requests.h"

namespace ws::nginx {

struct Connection;

class RequestTemplate {
public:
    // Throws std::bad_alloc.
    explicit RequestTemplate(const Connection& parent);

    // Fills in the request's line and header. Throws std::bad_alloc.
    void apply(ngx_http_request_t& r, const relay::HttpEvent& event, std::string_view context) const;

private:
    void add(ngx_http_request_t& r, const relay::HttpEvent& event, std::string_view context) const;

    const Connection& parent_;
    ngx_str_t request_line_;
    ngx_str_t source_;
    ngx_str_t subprotocols_;  // that the client offers; for `open`
    std::span<ngx_table_elt_t> lines_;
    std::span<ngx_table_elt_t> open_lines_;  // for `open` alone
};

}  // namespace ws::nginx
