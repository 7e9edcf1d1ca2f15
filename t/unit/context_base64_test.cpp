#include "context/base64.h"

#include "cmocka.hpp"

using namespace ws::context;

namespace {

// RFC 4648 10.
constexpr struct {
    std::string_view bytes, text;
} vectors[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"}};

void the_vectors_of_the_rfc_are_encoded_and_decoded(void**) {
    for (const auto& vector : vectors) {
        std::string encoded = "<";
        append_base64(encoded, vector.bytes);
        ws::test::assert_bytes_equal(encoded, "<" + std::string(vector.text));
        std::string decoded = "<";
        assert_true(append_decoded_base64(decoded, vector.text));
        ws::test::assert_bytes_equal(decoded, "<" + std::string(vector.bytes));
    }
}

void the_url_alphabet_has_no_padding_and_no_reserved_character(void**) {
    for (const auto& vector : vectors) {
        std::string encoded;
        append_base64url(encoded, vector.bytes);
        ws::test::assert_bytes_equal(encoded, vector.text.substr(0, vector.text.find('=')));
    }
    std::string standard;
    append_base64(standard, "\xfb\xff\xfe");
    ws::test::assert_bytes_equal(standard, "+//+");
    std::string url;
    append_base64url(url, "\xfb\xff\xfe");
    ws::test::assert_bytes_equal(url, "-__-");
}

void all_pairs_of_bytes_come_back(void**) {
    for (unsigned pair = 0; pair < 0x10000; ++pair) {
        const std::string bytes = {static_cast<char>(pair >> 8), static_cast<char>(pair & 255)};
        std::string encoded;
        append_base64(encoded, bytes);
        std::string decoded;
        assert_true(append_decoded_base64(decoded, encoded));
        assert_true(decoded == bytes);
    }
}

void what_the_encoder_never_writes_is_refused_and_leaves_the_output(void**) {
    for (const std::string_view text : {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zm9vZ===", "Zg==Zg==",
                                        "Zm9v\n", "Zm 9", "Zm9-", "Zm9_", "Zh==", "Zm9=", "Z=g=", "Zm9v====",
                                        "Zm\xff"
                                        "v"}) {
        std::string out = "kept";
        assert_false(append_decoded_base64(out, text));
        ws::test::assert_bytes_equal(out, "kept");
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_are_encoded_and_decoded),
        cmocka_unit_test(the_url_alphabet_has_no_padding_and_no_reserved_character),
        cmocka_unit_test(all_pairs_of_bytes_come_back),
        cmocka_unit_test(what_the_encoder_never_writes_is_refused_and_leaves_the_output),
    };
    return cmocka_run_group_tests_name("base64", tests, nullptr, nullptr);
}
