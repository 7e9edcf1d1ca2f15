// Tokens signed elsewhere: the examples of RFC 7515, appendix A, and of RFC 7519, 3.1.
#include "auth/jwt.h"

#include "cmocka.hpp"

#include <chrono>
#include <string>

using namespace ws::auth;
using std::chrono::seconds;

namespace {

// RFC 7515 A.1.1: the key, and a token whose claims are {"iss":"joe", "exp":1300819380, "http://example.com/is_root":true}.
constexpr std::string_view hmac_key =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
constexpr std::string_view hmac_token =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

// RFC 7515 A.3.1
constexpr std::string_view ec_key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view ec_token =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

constexpr seconds expires{1300819380};

JwtKeys keys_of(std::string_view file, std::string_view algorithm = {}) {
    JwtKeys keys;
    assert_null(keys.add(file, algorithm));
    return keys;
}

void assert_denied(const Verdict& verdict, std::string_view detail) {
    assert_int_equal(verdict.status, WS_AUTH_DENIED);
    assert_true(view(verdict.detail) == detail);
    assert_int_equal(verdict.session.len, 0);
}

void a_token_of_the_rfc_is_valid_until_it_expires(void**) {
    for (const auto& [key, token] : {std::pair{hmac_key, hmac_token}, std::pair{ec_key, ec_token}}) {
        const JwtKeys keys = keys_of(key);
        std::string claims;
        const Verdict verdict = verify_jwt(token, keys, {}, expires - seconds(1), claims);
        assert_int_equal(verdict.status, WS_AUTH_ALLOWED);
        assert_true(view(verdict.session) ==
                    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
        assert_int_equal(verdict.expires, 1300819380000);
        assert_denied(verify_jwt(token, keys, {}, expires, claims), "token has expired");
    }
}

void leeway_is_added_at_the_end(void**) {
    const JwtKeys keys = keys_of(ec_key);
    std::string claims;
    const JwtPolicy policy{{}, {}, seconds(10)};
    const Verdict verdict = verify_jwt(ec_token, keys, policy, expires + seconds(9), claims);
    assert_int_equal(verdict.status, WS_AUTH_ALLOWED);
    assert_int_equal(verdict.expires, 1300819390000);
    assert_denied(verify_jwt(ec_token, keys, policy, expires + seconds(10), claims), "token has expired");
}

void issuer_and_audience_have_to_be_there(void**) {
    const JwtKeys keys = keys_of(ec_key);
    std::string claims;
    assert_int_equal(verify_jwt(ec_token, keys, {{"jim", "joe"}, {}, {}}, seconds(0), claims).status, WS_AUTH_ALLOWED);
    assert_denied(verify_jwt(ec_token, keys, {{"jim"}, {}, {}}, seconds(0), claims), "wrong issuer");
    assert_denied(verify_jwt(ec_token, keys, {{}, {"chat"}, {}}, seconds(0), claims), "wrong audience");
}

void a_changed_token_is_denied_wherever_it_was_changed(void**) {
    for (const auto& [key, token] : {std::pair{hmac_key, hmac_token}, std::pair{ec_key, ec_token}}) {
        const JwtKeys keys = keys_of(key);
        std::string claims;
        for (std::size_t i = 0; i < token.size(); ++i) {
            std::string changed(token);
            // The last character of a part has bits that say nothing.
            if (i + 1 == token.size() || token[i + 1] == '.') { continue; }
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            assert_int_equal(verify_jwt(changed, keys, {}, seconds(0), claims).status, WS_AUTH_DENIED);
        }
        for (std::size_t size = 0; size < token.size(); ++size) {
            assert_int_equal(verify_jwt(token.substr(0, size), keys, {}, seconds(0), claims).status, WS_AUTH_DENIED);
        }
    }
}

void a_key_of_another_kind_is_not_even_tried(void**) {
    std::string claims;
    assert_denied(verify_jwt(hmac_token, keys_of(ec_key), {}, seconds(0), claims), "no key for this token");
    assert_denied(verify_jwt(ec_token, keys_of(hmac_key), {}, seconds(0), claims), "no key for this token");
    assert_denied(verify_jwt(hmac_token, keys_of(hmac_key, "HS512"), {}, seconds(0), claims), "no key for this token");
}

void what_is_no_key_is_refused(void**) {
    for (const std::string_view text :
         {"", " \n", "{", "{}", "[]", R"({"keys":[]})", R"({"keys":7})", R"({"keys":[7,null]})", R"({"kty":"RSA"})",
          R"({"kty":"oct"})", R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})", "-----BEGIN PUBLIC KEY-----\n",
          "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
        JwtKeys keys;
        assert_non_null(keys.add(text, {}));
        assert_non_null(keys.add(text, "HS256"));
        assert_true(keys.empty());
    }
}

void a_secret_has_to_be_called_one_and_to_be_long_enough(void**) {
    const std::string secret(32, 's');
    JwtKeys keys;
    assert_non_null(keys.add(secret, {}));
    assert_non_null(keys.add(secret, "RS256"));
    assert_non_null(keys.add(secret.substr(1), "HS256"));
    assert_non_null(keys.add(secret.substr(1) + "\n", "HS256"));
    assert_non_null(keys.add(secret, "HS384"));
    assert_true(keys.empty());
    assert_null(keys.add(secret + "\r\n", "HS256"));
    assert_int_equal(keys.size(), 1);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_token_of_the_rfc_is_valid_until_it_expires),
        cmocka_unit_test(leeway_is_added_at_the_end),
        cmocka_unit_test(issuer_and_audience_have_to_be_there),
        cmocka_unit_test(a_changed_token_is_denied_wherever_it_was_changed),
        cmocka_unit_test(a_key_of_another_kind_is_not_even_tried),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(a_secret_has_to_be_called_one_and_to_be_long_enough),
    };
    return cmocka_run_group_tests_name("JSON Web Tokens", tests, nullptr, nullptr);
}
