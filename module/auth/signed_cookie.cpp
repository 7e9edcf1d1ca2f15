#include "auth/signed_cookie.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <new>

#include "context/base64.h"
#include "context/percent_encoding.h"
#include "context/token.h"

namespace ws::auth {

namespace {

std::string signature_of(std::string_view id, std::string_view secret) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
    unsigned size = 0;
    if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(id.data()), id.size(), mac.data(), &size) == nullptr) {
        throw std::bad_alloc();
    }
    std::string text;
    context::append_base64(text, {reinterpret_cast<const char*>(mac.data()), size});
    text.resize(text.find('='));  // 32 bytes always leave one sign of padding
    return text;
}

bool same(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

CookieSecrets::CookieSecrets(std::string_view lines) {
    while (!lines.empty()) {
        std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        if (line.ends_with('\r')) { line.remove_suffix(1); }
        if (!line.empty()) { secrets_.emplace_back(line); }
    }
}

std::optional<std::string> CookieSecrets::unsigned_id(std::string_view value) const {
    static constexpr std::string_view mark = "s:";
    const std::optional<std::string> decoded = context::percent_decoded(value);
    if (!decoded || !decoded->starts_with(mark)) { return std::nullopt; }
    const std::size_t dot = decoded->rfind('.');
    if (dot == std::string::npos) { return std::nullopt; }
    std::string id = decoded->substr(mark.size(), dot - mark.size());
    const std::string_view signature = std::string_view(*decoded).substr(dot + 1);
    if (!context::valid_token(id)) { return std::nullopt; }
    const bool good = std::ranges::any_of(
        secrets_, [&](const std::string& secret) { return same(signature, signature_of(id, secret)); });
    return good ? std::optional(std::move(id)) : std::nullopt;
}

}  // namespace ws::auth
