#include "auth/signed_cookie.h"

#include "cmocka.hpp"
#include "context/token.h"

#include <string>

namespace {

using namespace ws::auth;

// Made by npm cookie-signature.
constexpr std::string_view good = "s%3Aabc.BpxCrWRpvZMh%2Fwk%2Fdjl34N%2Bm%2BVQEU7K%2F5WenLwJCgFU";

void the_id_of_a_signed_cookie_is_found(void**) {
    const CookieSecrets secrets("keyboard cat\n");
    assert_true(secrets.unsigned_id(good) == "abc");
    assert_true(secrets.unsigned_id("s:abc.BpxCrWRpvZMh/wk/djl34N+m+VQEU7K/5WenLwJCgFU") == "abc");
    assert_true(secrets.unsigned_id("%73%3a%61bc.BpxCrWRpvZMh%2fwk/djl34N+m%2BVQEU7K/5WenLwJCgFU") == "abc");
    assert_true(CookieSecrets("kéy").unsigned_id("s%3Aa.b.c.HudX%2FJapHIcwlKm0ofaVL15IzjcwOL2N1KJbHiUZ3LI") == "a.b.c");
    assert_true(CookieSecrets(std::string(200, 'x')).unsigned_id("s:abc.NDwDk8SujvA5iimlFVNY5crQufy3Cv24zZ0Og6vdk3g") ==
                "abc");
}

void any_of_the_secrets_will_do(void**) {
    for (const std::string_view lines :
         {"new\nkeyboard cat\n", "keyboard cat\nold", "new\r\n\r\nkeyboard cat\r\n", "\n\nkeyboard cat"}) {
        assert_true(CookieSecrets(lines).unsigned_id(good) == "abc");
    }
    for (const std::string_view lines :
         {"", "\n", "\r\n\n", "new\nold\n", "keyboard cat ", " keyboard cat", "keyboard\ncat", "Keyboard cat"}) {
        assert_false(CookieSecrets(lines).unsigned_id(good).has_value());
    }
    assert_true(CookieSecrets("\r\n\n").empty());
    assert_false(CookieSecrets("\n \n").empty());
}

void each_changed_byte_is_noticed(void**) {
    const CookieSecrets secrets("keyboard cat");
    const std::string value = "s:abc.BpxCrWRpvZMh/wk/djl34N+m+VQEU7K/5WenLwJCgFU";
    for (std::size_t at = 0; at < value.size(); ++at) {
        for (const char other : {'A', 'B', '.', '-', '\0', '\x7f', '\xc3'}) {
            std::string changed = value;
            if (changed[at] == other) { continue; }
            changed[at] = other;
            assert_false(secrets.unsigned_id(changed).has_value());
        }
        assert_false(secrets.unsigned_id(value.substr(0, at)).has_value());
        assert_false(secrets.unsigned_id(value.substr(at + 1)).has_value());
    }
    for (const char* tail : {"=", "A", " ", ".", "%00", "%"}) {
        assert_false(secrets.unsigned_id(value + tail).has_value());
    }
}

void what_is_signed_by_somebody_but_can_be_no_token_is_refused(void**) {
    // The signatures are those of these ids, with "keyboard cat"; an id is 1 to 4096 visible characters.
    const CookieSecrets secrets("keyboard cat");
    assert_false(secrets.unsigned_id("s:.aJcKKTu8Uv0mRiw7LTI435t+pOa+giU/WLAuLCKGEFc").has_value());
    assert_false(secrets.unsigned_id("s:a%20b.IHPOJ/Sprx0ZjjR0WDc5VmCLu0tNrzbRLu4FfoX4wIY").has_value());
    assert_false(secrets.unsigned_id("").has_value());
    assert_false(secrets.unsigned_id("s:").has_value());
    assert_false(secrets.unsigned_id("s:.").has_value());
    assert_false(secrets.unsigned_id("j:{}").has_value());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_id_of_a_signed_cookie_is_found),
        cmocka_unit_test(any_of_the_secrets_will_do),
        cmocka_unit_test(each_changed_byte_is_noticed),
        cmocka_unit_test(what_is_signed_by_somebody_but_can_be_no_token_is_refused),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
