// JSON Web Tokens (RFC 7519) as sessions: the claims of a token that is signed by a known key, and valid now.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt_keys.h"
#include "auth/verdict.h"

namespace ws::auth {

struct JwtPolicy {
    std::vector<std::string> issuers;    // of which `iss` must be one; empty: any
    std::vector<std::string> audiences;  // of which `aud` must have one; empty: any
    std::chrono::milliseconds leeway{};  // how far the clocks may be apart
};

// `now` is since the epoch. `allowed` with the claims, put into `claims`, and with the time when the token expires; any other
// token is `denied`.
[[nodiscard]] Verdict verify_jwt(std::string_view token, const JwtKeys& keys, const JwtPolicy& policy,
                                 std::chrono::milliseconds now, std::string& claims);

}  // namespace ws::auth
