// SHA-1: the examples of RFC 3174 7.3, and RFC 6455's.
#include "auth/sha1.h"

#include "cmocka.hpp"

#include <string>

#include "context/hex.h"

namespace {

using ws::auth::Sha1;

std::string hex(const Sha1::Digest& digest) {
    std::string text;
    ws::context::append_hex(text, digest);
    return text;
}

void texts_have_the_digests_of_the_rfcs_again_and_again(void**) {
    Sha1 sha1;
    for (int n = 0; n < 2; ++n) {
        assert_true(hex(sha1.of({})) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_true(hex(sha1.of({"abc"})) == "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_true(hex(sha1.of({"abcdbcdecdefdefgefghfghighijhi", "jkijkljklmklmnlmnomnopnopq"})) ==
                    "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
        assert_true(hex(sha1.of({std::string(1000000, 'a')})) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
        // RFC 6455 1.3
        assert_true(hex(sha1.of({"dGhlIHNhbXBsZSBub25jZQ==", "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"})) ==
                    "b37a4f2cc0624f1690f64606cf385945b2bec4ea");
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(texts_have_the_digests_of_the_rfcs_again_and_again),
    };
    return cmocka_run_group_tests_name("auth sha1", tests, nullptr, nullptr);
}
