// Public keys as PEM, which is how OpenSSL writes them.
#pragma once

#include <memory>
#include <string_view>

#include "auth/jwt_keys.h"

namespace ws::auth {

// Null unless it is a public key (RFC 7468 13) of RSA or of one of the curves P-256, P-384 and P-521.
[[nodiscard]] std::unique_ptr<cjose_jwk_t, JwtKey::Release> jwk_from_pem(std::string_view pem);

}  // namespace ws::auth
