#include "auth/jwt_pem.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace ws::auth {

namespace {

using Jwk = std::unique_ptr<cjose_jwk_t, JwtKey::Release>;

template <auto release>
struct Freed {
    template <class T>
    void operator()(T* object) const noexcept {
        release(object);
    }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

// A parameter of the key as a big-endian number of at least `size` bytes; empty: it has none.
std::vector<std::uint8_t> number(const EVP_PKEY* key, const char* name, std::size_t size) {
    BIGNUM* value = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &value) != 1) { return {}; }
    const std::unique_ptr<BIGNUM, Freed<BN_free>> owned(value);
    std::vector<std::uint8_t> bytes(std::max(size, static_cast<std::size_t>(BN_num_bytes(value))));
    if (BN_bn2binpad(value, bytes.data(), static_cast<int>(bytes.size())) < 0) { return {}; }
    return bytes;
}

Jwk rsa(const EVP_PKEY* key) {
    std::vector<std::uint8_t> n = number(key, OSSL_PKEY_PARAM_RSA_N, 0);
    std::vector<std::uint8_t> e = number(key, OSSL_PKEY_PARAM_RSA_E, 0);
    cjose_jwk_rsa_keyspec spec{};
    spec.n = n.data();
    spec.nlen = n.size();
    spec.e = e.data();
    spec.elen = e.size();
    cjose_err error;
    return Jwk(n.empty() || e.empty() ? nullptr : cjose_jwk_create_RSA_spec(&spec, &error));
}

Jwk elliptic(const EVP_PKEY* key) {
    std::array<char, 64> name{};
    if (EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) { return nullptr; }
    const std::string_view curve = name.data();
    cjose_jwk_ec_keyspec spec{};
    spec.crv = curve == "prime256v1"  ? CJOSE_JWK_EC_P_256
               : curve == "secp384r1" ? CJOSE_JWK_EC_P_384
               : curve == "secp521r1" ? CJOSE_JWK_EC_P_521
                                      : CJOSE_JWK_EC_INVALID;
    if (spec.crv == CJOSE_JWK_EC_INVALID) { return nullptr; }
    const std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_bits(key) + 7) / 8;
    std::vector<std::uint8_t> x = number(key, OSSL_PKEY_PARAM_EC_PUB_X, size);
    std::vector<std::uint8_t> y = number(key, OSSL_PKEY_PARAM_EC_PUB_Y, size);
    spec.x = x.data();
    spec.xlen = x.size();
    spec.y = y.data();
    spec.ylen = y.size();
    cjose_err error;
    return Jwk(x.empty() || y.empty() ? nullptr : cjose_jwk_create_EC_spec(&spec, &error));
}

}  // namespace

Jwk jwk_from_pem(std::string_view pem) {
    const std::unique_ptr<BIO, Freed<BIO_free>> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const KeyPtr key(bio != nullptr ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    Jwk jwk;
    if (key != nullptr && EVP_PKEY_is_a(key.get(), "RSA") == 1) { jwk = rsa(key.get()); }
    if (key != nullptr && EVP_PKEY_is_a(key.get(), "EC") == 1) { jwk = elliptic(key.get()); }
    ERR_clear_error();  // what is left in OpenSSL's queue would be taken for a fault of the next TLS connection
    return jwk;
}

bool is_der_key(std::string_view text) noexcept {
    const auto size = static_cast<long>(text.size());
    const auto* key_at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* certificate_at = key_at;
    const KeyPtr key(d2i_PUBKEY(nullptr, &key_at, size));
    const std::unique_ptr<X509, Freed<X509_free>> certificate(d2i_X509(nullptr, &certificate_at, size));
    ERR_clear_error();  // as above
    return key != nullptr || certificate != nullptr;
}

}  // namespace ws::auth
