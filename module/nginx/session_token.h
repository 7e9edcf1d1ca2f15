// The session's token, from where ws_auth_token says.
#pragma once

#include "nginx/ngx.h"

#include <span>
#include <string>

#include "nginx/location_conf.h"

namespace ws::nginx {

struct SessionToken {
    enum class Status {
        found,
        absent,     // no source has one, or what it has can't be a token (context/token.h)
        forged,     // a signed cookie has no signature, or a wrong one
        ambiguous,  // a source has more than one, or one that servers read differently
    };
    Status status = Status::absent;
    std::string value;
    const TokenSource* source = nullptr;  // that had it
};

// The first of the location's sources that has a token decides; an ambiguous or forged one before it refuses. Cookies and
// subprotocols are read as the client sent them.
[[nodiscard]] SessionToken find_session_token(const ngx_http_request_t& r, std::span<const std::string_view> cookies,
                                              const LocationConf& conf);

}  // namespace ws::nginx
