#include "auth/jwt_keys.h"

#include <algorithm>
#include <array>
#include <utility>

#include "auth/jwt_pem.h"
#include "context/json.h"

namespace ws::auth {

namespace {

constexpr std::array<std::string_view, 9> known{"HS256", "HS384", "HS512", "RS256", "RS384",
                                                "RS512", "ES256", "ES384", "ES512"};

constexpr std::size_t most_keys = 100;
constexpr const char* too_many = "has too many keys: at most 100";

constexpr std::string_view pem_begin = "-----BEGIN";

constexpr const char* no_key = "holds no key that can be used: it must be a JWK or JWKS, a PEM public key, or a secret";

// RFC 7518 3.1: what a key of this kind is for. Empty: nothing.
std::vector<std::string> algorithms_of(const cjose_jwk_t* jwk) {
    cjose_err error;
    switch (cjose_jwk_get_kty(jwk, &error)) {
        case CJOSE_JWK_KTY_RSA: return {"RS256", "RS384", "RS512"};
        case CJOSE_JWK_KTY_OCT: return {"HS256", "HS384", "HS512"};
        case CJOSE_JWK_KTY_EC: break;
        default: return {};
    }
    switch (cjose_jwk_EC_get_curve(jwk, &error)) {
        case CJOSE_JWK_EC_P_256: return {"ES256"};
        case CJOSE_JWK_EC_P_384: return {"ES384"};
        case CJOSE_JWK_EC_P_521: return {"ES512"};
        default: return {};
    }
}

// RFC 7518 3.2: a secret is at least as long as the hash; 3.3: an RSA key has 2048 bits or more.
bool long_enough(const cjose_jwk_t* jwk, std::string_view algorithm) {
    cjose_err error;
    const std::size_t bits = cjose_jwk_get_keysize(jwk, &error);
    if (algorithm.starts_with("RS")) { return bits >= 2048; }
    if (algorithm == "HS256") { return bits >= 256; }
    if (algorithm == "HS384") { return bits >= 384; }
    return algorithm != "HS512" || bits >= 512;
}

std::string_view member(json_t* object, const char* name) {
    json_t* value = json_object_get(object, name);
    return json_is_string(value) ? std::string_view(json_string_value(value), json_string_length(value))
                                 : std::string_view{};
}

// RFC 7517 4.2 and 4.3: not for encryption, not only for making signatures.
bool is_for_verifying(json_t* jwk) {
    if (const std::string_view use = member(jwk, "use"); !use.empty() && use != "sig") { return false; }
    json_t* operations = json_object_get(jwk, "key_ops");
    if (operations == nullptr) { return true; }
    std::size_t i = 0;
    json_t* operation = nullptr;
    json_array_foreach(operations, i, operation) {
        if (json_is_string(operation) && std::string_view(json_string_value(operation)) == "verify") { return true; }
    }
    return false;
}

// Editors put it before text that is UTF-8.
std::string_view without_mark(std::string_view text) {
    static constexpr std::string_view mark = "\xEF\xBB\xBF";
    return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

// In one of the forms that aren't read here: JSON without a name around it, as SSH has it, DER.
bool is_public_key(std::string_view text) {
    if (context::parse_json(text).value != nullptr && text.find("\"kty\"") != std::string_view::npos) { return true; }
    return text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") || is_der_key(text);
}

bool is_secret_half(json_t* jwk) {
    const std::string_view kind = member(jwk, "kty");
    return (kind == "RSA" || kind == "EC") && json_object_get(jwk, "d") != nullptr;
}

}  // namespace

bool is_jwt_algorithm(std::string_view name) noexcept { return std::ranges::find(known, name) != known.end(); }

const char* JwtKeys::add(std::string_view file, std::string_view algorithm) {
    const std::string_view content = without_mark(file);
    const std::size_t start = content.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) { return "is empty"; }
    // What looks like a key or a set of them never becomes a secret: the world may know it.
    if (content[start] == '{') { return add_set(content.substr(start), algorithm); }
    if (content.find(pem_begin) != std::string_view::npos) { return add_pem(content, algorithm); }
    if (is_public_key(content)) {
        return "has a public key in a form that is not read: it must be a JWK, a JWKS or PEM";
    }
    return add_secret(file, algorithm);
}

// One after the other, with whatever text around them (RFC 7468 2).
const char* JwtKeys::add_pem(std::string_view pem, std::string_view algorithm) {
    for (std::size_t begin = pem.find(pem_begin); begin != std::string_view::npos;) {
        const std::size_t next = pem.find(pem_begin, begin + pem_begin.size());
        auto jwk = jwk_from_pem(pem.substr(begin, next - begin));
        if (jwk == nullptr) { return "is no PEM of an RSA, P-256, P-384 or P-521 public key (BEGIN PUBLIC KEY)"; }
        if (const char* wrong = add_key({std::move(jwk), {}, {}}, algorithm)) { return wrong; }
        begin = next;
    }
    return nullptr;
}

const char* JwtKeys::add_secret(std::string_view secret, std::string_view algorithm) {
    if (!algorithm.starts_with("HS")) {
        return "looks like a secret: add alg=HS256, alg=HS384 or alg=HS512 if it is one";
    }
    if (secret.ends_with('\n')) { secret.remove_suffix(1); }
    if (secret.ends_with('\r')) { secret.remove_suffix(1); }
    cjose_err error;
    JwtKey key;
    key.jwk.reset(
        cjose_jwk_create_oct_spec(reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size(), &error));
    return key.jwk != nullptr ? add_key(std::move(key), algorithm) : no_key;
}

const char* JwtKeys::add_key(JwtKey key, std::string_view algorithm) {
    key.algorithms = algorithms_of(key.jwk.get());
    if (!algorithm.empty()) {
        std::erase_if(key.algorithms, [algorithm](const std::string& own) { return own != algorithm; });
        if (key.algorithms.empty()) { return "has a key of another kind than alg= says"; }
    }
    std::erase_if(key.algorithms, [&key](const std::string& own) { return !long_enough(key.jwk.get(), own); });
    if (key.algorithms.empty()) { return "has a key that is too short: RSA needs 2048 bits, HS256 32 bytes"; }
    if (keys_.size() == most_keys) { return too_many; }
    keys_.push_back(std::move(key));
    return nullptr;
}

const char* JwtKeys::add_set(std::string_view json, std::string_view algorithm) {
    const context::JsonParse parsed = context::parse_json(json);
    if (!json_is_object(parsed.value.get())) { return "is not JSON"; }
    const context::JsonPtr alone = context::allocated(json_array());
    json_t* keys = json_object_get(parsed.value.get(), "keys");
    if (keys == nullptr) {
        json_array_append(alone.get(), parsed.value.get());
        keys = alone.get();
    }
    const char* wrong = no_key;
    const std::size_t before = keys_.size();
    std::size_t i = 0;
    json_t* one = nullptr;
    json_array_foreach(keys, i, one) {
        if (!json_is_object(one) || !is_for_verifying(one)) { continue; }
        if (is_secret_half(one)) { return "has a private key: give the gateway the public one only"; }
        const std::string_view own = member(one, "alg");
        if (!algorithm.empty() && !own.empty() && own != algorithm) { continue; }
        std::string text;
        context::append_json(text, one, context::Charset::utf8);
        if (keys_.size() == most_keys) { return too_many; }
        cjose_err error;
        JwtKey key;
        key.jwk.reset(cjose_jwk_import(text.data(), text.size(), &error));
        if (key.jwk == nullptr) { continue; }
        key.id = member(one, "kid");
        if (const char* fault = add_key(std::move(key), own.empty() ? algorithm : own)) { wrong = fault; }
    }
    return keys_.size() > before ? nullptr : wrong;
}

}  // namespace ws::auth
