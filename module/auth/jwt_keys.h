// The keys that JSON Web Tokens are verified with, and the algorithms that each of them is good for: the key says which, the
// token never does, so that a public key can't be passed off as the secret of an HMAC.
#pragma once

#include <cjose/jwk.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ws::auth {

struct JwtKey {
    struct Release {
        void operator()(cjose_jwk_t* key) const noexcept { cjose_jwk_release(key); }
    };

    std::unique_ptr<cjose_jwk_t, Release> jwk;
    std::string id;                       // its kid; empty: none
    std::vector<std::string> algorithms;  // such as RS256
};

class JwtKeys final {
public:
    // The content of a file: a JWK or a set of them (RFC 7517), public keys as PEM (BEGIN PUBLIC KEY), or, if `algorithm`
    // says HS256, HS384 or HS512, a secret; a public key in another form never becomes one. `algorithm`, unless empty, is
    // the only one that these keys are for. Keys in a set that are of no use here (of an unknown kind, for encryption) are
    // passed over. Returns null, or what is wrong; never a part of a key.
    [[nodiscard]] const char* add(std::string_view file, std::string_view algorithm);

    [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
    [[nodiscard]] auto begin() const noexcept { return keys_.begin(); }
    [[nodiscard]] auto end() const noexcept { return keys_.end(); }

private:
    [[nodiscard]] const char* add_set(std::string_view json, std::string_view algorithm);
    [[nodiscard]] const char* add_pem(std::string_view pem, std::string_view algorithm);
    [[nodiscard]] const char* add_secret(std::string_view secret, std::string_view algorithm);
    [[nodiscard]] const char* add_key(JwtKey key, std::string_view algorithm);

    std::vector<JwtKey> keys_;
};

// Is it one that keys can be for?
[[nodiscard]] bool is_jwt_algorithm(std::string_view name) noexcept;

}  // namespace ws::auth
