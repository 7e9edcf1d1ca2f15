// The messages in a reply's body.
#include "relay/reply_messages.h"

#include <string>

#include "cmocka.hpp"

using namespace ws::relay;
using ws::test::assert_bytes_equal;
using ws::websocket::Opcode;

namespace {

// "text:…|binary:…", or "none".
std::string shown(std::string_view content_type, std::string_view body) {
    const auto messages = reply_messages(content_type, body);
    if (!messages) { return "none"; }
    std::string text;
    for (const ReplyMessage& message : *messages) {
        text.append(text.empty() ? "" : "|").append(message.type == Opcode::text ? "text:" : "binary:");
        text.append(message.payload);
    }
    return text;
}

void the_type_says_whether_it_is_text(void**) {
    assert_bytes_equal(shown("text/plain", "a"), "text:a");
    assert_bytes_equal(shown("TEXT/HTML; charset=utf-8", "a"), "text:a");
    assert_bytes_equal(shown("application/json", "a"), "text:a");
    assert_bytes_equal(shown(" application/problem+json ;x=y", "a"), "text:a");
    assert_bytes_equal(shown("application/json5", "a"), "binary:a");
    assert_bytes_equal(shown("+json", "a"), "binary:a");
    assert_bytes_equal(shown("text", "a"), "binary:a");
    assert_bytes_equal(shown("", "a"), "binary:a");
}

void no_body_is_no_message(void**) {
    assert_bytes_equal(shown("text/plain", ""), "");
    assert_bytes_equal(shown("multipart/mixed", ""), "");
}

void text_has_to_be_utf8(void**) {
    assert_bytes_equal(shown("text/plain", "\xc3\xa9"), "text:\xc3\xa9");
    assert_bytes_equal(shown("text/plain", "\xc3"), "none");
    assert_bytes_equal(shown("application/octet-stream", "\xc3"), "binary:\xc3");
}

void parts_are_messages(void**) {
    assert_bytes_equal(
        shown("multipart/mixed; boundary=b", "--b\r\n\r\none\r\n--b\r\nContent-Type: image/png\r\n\r\n\xff\r\n--b--"),
        "text:one|binary:\xff");
    assert_bytes_equal(shown("Multipart/Mixed; x=y; Boundary=\"a b\"",
                             "--a b  \r\nX: y\r\ncontent-type: application/json\r\n\r\n{}\r\n--a b--\r\n"),
                       "text:{}");
    assert_bytes_equal(shown("multipart/mixed; boundary=b", "preamble\r\n--b\r\n\r\none\r\n--b--\r\nepilogue --b"),
                       "text:one");
    assert_bytes_equal(shown("multipart/mixed; boundary=b", "--b--"), "");
}

void a_part_may_be_empty_and_hold_line_breaks(void**) {
    assert_bytes_equal(shown("multipart/mixed; boundary=b", "--b\r\n\r\n\r\n--b--"), "text:");
    assert_bytes_equal(shown("multipart/mixed; boundary=b", "--b\r\n\r\n--b--"), "text:");
    assert_bytes_equal(shown("multipart/mixed; boundary=b", "--b\r\n\r\n\r\n\r\n--b--"), "text:\r\n");
}

void parts_that_are_wrong_make_the_reply_wrong(void**) {
    for (const char* const body :
         {"x", "--c--", "--b", "--b\r\n", "--b\r\n\r\none", "--b\r\n\r\none\r\n--b", "--b\r\n\r\none\r\n--b\r\n",
          "--b\r\nno end of header\r\n--b--", "--bc\r\n\r\none\r\n--b--", "--b\r\n\r\n\xff\r\n--b--"}) {
        assert_bytes_equal(shown("multipart/mixed; boundary=b", body), "none");
    }
    for (const char* const type : {"multipart/mixed", "multipart/mixed; boundary=", "multipart/mixed; boundary=\"\""}) {
        assert_bytes_equal(shown(type, "--b--"), "none");
    }
    assert_bytes_equal(shown("multipart/mixed; boundary=" + std::string(71, 'b'), "--" + std::string(71, 'b') + "--"),
                       "none");
}

void parts_have_a_limit(void**) {
    std::string body;
    for (std::size_t n = 0; n < most_reply_messages; ++n) { body += "--b\r\n\r\n\r\n"; }
    assert_int_equal(reply_messages("multipart/mixed; boundary=b", body + "--b--")->size(), most_reply_messages);
    assert_false(reply_messages("multipart/mixed; boundary=b", body + "--b\r\n\r\n\r\n--b--").has_value());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_type_says_whether_it_is_text),
        cmocka_unit_test(no_body_is_no_message),
        cmocka_unit_test(text_has_to_be_utf8),
        cmocka_unit_test(parts_are_messages),
        cmocka_unit_test(a_part_may_be_empty_and_hold_line_breaks),
        cmocka_unit_test(parts_that_are_wrong_make_the_reply_wrong),
        cmocka_unit_test(parts_have_a_limit),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
