#include "auth/sha256.h"

#include "cmocka.hpp"

namespace {

void the_published_examples(void**) {
    // FIPS 180-4, and the empty text.
    ws::test::assert_bytes_equal(ws::auth::sha256_hex("abc"),
                                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ws::test::assert_bytes_equal(ws::auth::sha256_hex(""),
                                 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {cmocka_unit_test(the_published_examples)};
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
