// What the requests of one connection's events have in common: the lines of the client's upgrade request that are passed on, and the
// gateway's own that don't change.
#pragma once

#include "nginx/ngx.h"

#include <string>
#include <string_view>
#include <vector>

#include "relay/requests.h"

namespace ws::nginx {

struct Connection;
struct LocationConf;

class RequestTemplate {
public:
    // From the connection's record. Throws std::bad_alloc.
    explicit RequestTemplate(const Connection& parent);

    // Fills in the request's line and header, which borrow from the template. Throws std::bad_alloc.
    void apply(ngx_http_request_t& r, const relay::HttpEvent& event, std::string_view context) const;

private:
    enum class Passed : unsigned char { never, with_open, always };

    [[nodiscard]] static Passed passed(const LocationConf& conf, std::string_view line);

    const Connection& parent_;
    std::string request_line_;
    std::string source_;
    std::string subprotocols_;    // that the client offers; for `open`
    std::vector<Passed> passed_;  // of the record's lines, each
};

}  // namespace ws::nginx
