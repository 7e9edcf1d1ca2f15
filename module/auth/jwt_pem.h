// Public keys as OpenSSL writes them.
#pragma once

#include <memory>
#include <string_view>

#include "auth/jwt_keys.h"

namespace ws::auth {

// Null unless it is a public key (RFC 7468 13) of RSA or of one of the curves P-256, P-384 and P-521.
[[nodiscard]] std::unique_ptr<cjose_jwk_t, JwtKey::Release> jwk_from_pem(std::string_view pem);

// Is it a public key, or a certificate, as DER?
[[nodiscard]] bool is_der_key(std::string_view text) noexcept;

}  // namespace ws::auth
