#include "auth/jwt.h"

#include <cjose/header.h>
#include <cjose/jws.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "context/json.h"

namespace ws::auth {

namespace {

using Milliseconds = std::chrono::milliseconds;

struct ReleaseJws {
    void operator()(cjose_jws_t* jws) const noexcept { cjose_jws_release(jws); }
};
using JwsPtr = std::unique_ptr<cjose_jws_t, ReleaseJws>;

Verdict denied(std::string_view detail) noexcept { return refused(WS_AUTH_DENIED, detail); }

std::string_view attribute(cjose_header_t* header, const char* name) {
    cjose_err error;
    const char* value = cjose_header_get(header, name, &error);
    return value != nullptr ? value : std::string_view{};
}

// RFC 7515 4.1.11: what the token says is critical must be understood, and nothing here is.
bool has_critical(cjose_header_t* header) {
    cjose_err error;
    char* value = cjose_header_get_raw(header, "crit", &error);
    const bool found = value != nullptr;
    std::free(value);
    return found;
}

bool is_for(const JwtKey& key, std::string_view algorithm, std::string_view id) {
    return (id.empty() || key.id.empty() || key.id == id) &&
           std::ranges::find(key.algorithms, algorithm) != key.algorithms.end();
}

// Null if one of the keys has signed it.
const char* check_signature(cjose_jws_t* jws, const JwtKeys& keys) {
    cjose_header_t* header = cjose_jws_get_protected(jws);
    if (has_critical(header)) { return "token wants what is unknown here (crit)"; }
    const std::string_view algorithm = attribute(header, "alg");
    const std::string_view id = attribute(header, "kid");
    const char* why = "no key for this token";
    for (const JwtKey& key : keys) {
        if (!is_for(key, algorithm, id)) { continue; }
        cjose_err error;
        if (cjose_jws_verify(jws, key.jwk.get(), &error)) { return nullptr; }
        why = "signature is wrong";
    }
    return why;
}

// RFC 7519 2: seconds since the epoch, with or without a fraction. Nothing: it is no such number.
std::optional<Milliseconds> date(json_t* value) {
    // Beyond that nobody means a date, and milliseconds would overflow.
    static constexpr double most = 1e14;
    if (!json_is_number(value)) { return std::nullopt; }
    const double seconds = json_number_value(value);
    if (!(seconds >= -most && seconds <= most)) { return std::nullopt; }
    return Milliseconds(static_cast<Milliseconds::rep>(seconds * 1000));
}

bool is_one_of(json_t* value, const std::vector<std::string>& names) {
    if (!json_is_string(value)) { return false; }
    const std::string_view text(json_string_value(value), json_string_length(value));
    return std::ranges::find(names, text) != names.end();
}

// RFC 7519 4.1.3: one, or an array of them.
bool is_for_us(json_t* audience, const std::vector<std::string>& names) {
    if (!json_is_array(audience)) { return is_one_of(audience, names); }
    std::size_t i = 0;
    json_t* one = nullptr;
    json_array_foreach(audience, i, one) {
        if (is_one_of(one, names)) { return true; }
    }
    return false;
}

Verdict check_claims(json_t* claims, const JwtPolicy& policy, Milliseconds now) {
    Verdict verdict = allowed({});
    if (json_t* expires = json_object_get(claims, "exp")) {
        const auto time = date(expires);
        if (!time) { return denied("exp is no date"); }
        if (now >= *time + policy.leeway) { return denied("token has expired"); }
        verdict.expires = (*time + policy.leeway).count();
    }
    if (json_t* begins = json_object_get(claims, "nbf")) {
        const auto time = date(begins);
        if (!time) { return denied("nbf is no date"); }
        if (now < *time - policy.leeway) { return denied("token is not valid yet"); }
    }
    if (!policy.issuers.empty() && !is_one_of(json_object_get(claims, "iss"), policy.issuers)) {
        return denied("wrong issuer");
    }
    if (!policy.audiences.empty() && !is_for_us(json_object_get(claims, "aud"), policy.audiences)) {
        return denied("wrong audience");
    }
    return verdict;
}

Verdict judge(std::string_view token, const JwtKeys& keys, const JwtPolicy& policy, Milliseconds now,
              std::string& claims) {
    // RFC 7515 2: without padding, which the library would overlook.
    if (token.find('=') != std::string_view::npos) { return denied("token has padding"); }
    cjose_err error;
    const JwsPtr jws(cjose_jws_import(token.data(), token.size(), &error));
    if (jws == nullptr) { return denied("token is no JWS that can be verified"); }
    if (const char* wrong = check_signature(jws.get(), keys)) { return denied(wrong); }
    std::uint8_t* text = nullptr;
    std::size_t size = 0;
    if (!cjose_jws_get_plaintext(jws.get(), &text, &size, &error)) { return denied("token has no claims"); }
    claims.assign(reinterpret_cast<const char*>(text), size);
    const context::JsonParse parsed = context::parse_json(claims);
    if (!json_is_object(parsed.value.get())) { return denied("claims are no JSON object"); }
    Verdict verdict = check_claims(parsed.value.get(), policy, now);
    if (verdict.status == WS_AUTH_ALLOWED) { verdict.session = auth::text(claims); }
    return verdict;
}

}  // namespace

Verdict verify_jwt(std::string_view token, const JwtKeys& keys, const JwtPolicy& policy, Milliseconds now,
                   std::string& claims) {
    const Verdict verdict = judge(token, keys, policy, now, claims);
    ERR_clear_error();  // what is left in OpenSSL's queue would be taken for a fault of the next TLS connection
    return verdict;
}

}  // namespace ws::auth
