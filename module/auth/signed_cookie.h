// A session cookie that its application has signed, so that nobody can try session ids out. As express-session writes it (npm
// cookie-signature):
//
//   s:ID.SIGNATURE, percent-encoded     SIGNATURE = base64(HMAC-SHA256(secret, ID)), without padding
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ws::auth {

class CookieSecrets final {
public:
    // One secret a line, the newest first: applications sign with it, and take the older ones as well for a while. A secret is
    // its line as it is; empty lines don't count.
    explicit CookieSecrets(std::string_view lines);

    [[nodiscard]] bool empty() const noexcept { return secrets_.empty(); }

    // The session id, if the cookie's value is signed with one of them, and the id can be a token (context/token.h). The time
    // that this takes says nothing about the signature.
    [[nodiscard]] std::optional<std::string> unsigned_id(std::string_view value) const;

private:
    std::vector<std::string> secrets_;
};

}  // namespace ws::auth
