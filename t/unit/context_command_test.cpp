#include "context/command.h"

#include "cmocka.hpp"

using namespace ws::context;
using namespace std::string_view_literals;

namespace {

void assert_message(std::string_view text, MessageType type, std::string_view data,
                    std::source_location where = std::source_location::current()) {
    const Command command = parse_command(text);
    const auto* const message = std::get_if<MessageCommand>(&command);
    if (message == nullptr || message->type != type) _fail(where.file_name(), static_cast<int>(where.line()));
    ws::test::assert_bytes_equal(message->data, data, where);
}

void assert_close(std::string_view text, unsigned code, std::string_view reason,
                  std::source_location where = std::source_location::current()) {
    const Command command = parse_command(text);
    const auto* const close = std::get_if<CloseCommand>(&command);
    if (close == nullptr || close->code != code) _fail(where.file_name(), static_cast<int>(where.line()));
    ws::test::assert_bytes_equal(close->reason, reason, where);
}

void assert_invalid(std::string_view text, std::string_view why,
                    std::source_location where = std::source_location::current()) {
    const Command command = parse_command(text);
    const auto* const invalid = std::get_if<InvalidCommand>(&command);
    if (invalid == nullptr) {
        print_error("accepted %.*s\n", static_cast<int>(text.size()), text.data());
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
    ws::test::assert_bytes_equal(invalid->why, why, where);
}

// parse_text_command() has a short way for them.
void a_plain_message_is_read_as_any_other_command(void**) {
    static constexpr std::string_view texts[] = {
        R"({"event":"message","type":"text","data":"hello"})",
        R"({"data":"hello","event":"message"})",
        "{ \t\"data\"\r\n: \"a b\" ,\"type\":\"text\", \"event\":\"message\" } ",
        R"({"event":"message","data":"\"\\\/\b\f\n\r\t\u0000\u00e9\u20AC\ud83d\ude00"})",
        R"({"event":"message","data":"\ud83d"})",
        R"({"event":"message","data":"\ude00\ud83d"})",
        R"({"event":"message","data":"\ud83d\u0041"})",
        R"({"event":"message","data":"\u12"})",
        R"({"event":"message","data":"\u-123"})",
        R"({"event":"message","data":"\x"})",
        R"({"event":"message","data":"\)",
        R"({"event":"message","data":"open)",
        "{\"event\":\"message\",\"data\":\"line\nfeed\"}",
        "{\"event\":\"message\n\",\"data\":\"x\"}",
        "{\"event\":\"message\",\"data\":\"x\"\v}",
        R"({"event":"message","data":"x","data":"y"})",
        R"({"event":"message","event":"message","data":"x"})",
        R"({"event":"message","type":"text","type":"text","data":"x"})",
        R"({"event":"message","type":"","data":"x"})",
        R"({"event":"message","type":"binary","data":"eA=="})",
        R"({"event":"message","type":"json","data":"x"})",
        R"({"event":"","data":"x"})",
        R"({"event":"context","data":"x"})",
        R"({"event":"message"})",
        R"({"data":"x"})",
        R"({"event":"message","data":"x",})",
        R"({,"event":"message","data":"x"})",
        R"({"event":"message","data":"x"}})",
        R"({"event":"message","data":"x"} x)",
        R"({"event":"message","data":1})",
        R"({"event":"message","data":"x","more":[1,{"a":null}]})",
        R"({"\u0065vent":"message","data":"x"})",
        R"({"event":"m\u0065ssage","data":"x"})",
        R"(["event","message","data","x"])",
        "{",
        "",
    };
    for (const std::string_view text : texts) {
        const Command quick = parse_text_command(text);
        const Command whole = parse_command(text);
        if (quick.index() != whole.index()) fail_msg("differs: %.*s", static_cast<int>(text.size()), text.data());
        if (const auto* const message = std::get_if<MessageCommand>(&quick)) {
            assert_true(message->type == std::get<MessageCommand>(whole).type);
            ws::test::assert_bytes_equal(message->data, std::get<MessageCommand>(whole).data);
        }
    }
}

void a_message_is_text_unless_it_says_otherwise(void**) {
    assert_message(R"({"event":"message","data":"hello"})", MessageType::text, "hello");
    assert_message(R"({"event":"message","type":"text","data":""})", MessageType::text, "");
    assert_message(R"( { "data" : "a\u0000\n\ud83d\ude00é" , "event" : "message" } )", MessageType::text,
                   "a\0\n\xf0\x9f\x98\x80\xc3\xa9"sv);
}

void binary_data_is_base64(void**) {
    assert_message(R"({"event":"message","type":"binary","data":"aGVsbG8="})", MessageType::binary, "hello");
    assert_message(R"({"event":"message","type":"binary","data":"AP8K"})", MessageType::binary, "\0\xff\n"sv);
    assert_message(R"({"event":"message","type":"binary","data":""})", MessageType::binary, "");
    for (const std::string_view data : {"aGVsbG8", "aGVsbG8=\\n", "aGVs bG8=", "-_-_", "x", "é"}) {
        assert_invalid(R"({"event":"message","type":"binary","data":")" + std::string(data) + "\"}",
                       "data is not base64");
    }
}

void json_data_is_any_value_compactly(void**) {
    assert_message(R"({"event":"message","type":"json","data":{"b": [1, 0.1, "é\u00e9"], "a": null}})",
                   MessageType::json, R"({"b":[1,0.1,"éé"],"a":null})");
    assert_message(R"({"event":"message","type":"json","data":null})", MessageType::json, "null");
    assert_message(R"({"event":"message","type":"json","data":"x"})", MessageType::json, "\"x\"");
    assert_message(R"({"event":"message","type":"json","data":false})", MessageType::json, "false");
}

void a_message_of_wrong_shape_is_invalid(void**) {
    assert_invalid(R"({"event":"message"})", "message without data");
    assert_invalid(R"({"event":"message","type":"json"})", "message without data");
    assert_invalid(R"({"event":"message","data":5})", "data is not a string");
    assert_invalid(R"({"event":"message","data":null})", "data is not a string");
    assert_invalid(R"({"event":"message","data":{"a":1}})", "data is not a string");
    assert_invalid(R"({"event":"message","type":"binary","data":[1]})", "data is not a string");
    assert_invalid(R"({"event":"message","type":"TEXT","data":""})", "unknown message type");
    assert_invalid(R"({"event":"message","type":"text\u0000","data":""})", "unknown message type");
    assert_invalid(R"({"event":"message","type":null,"data":""})", "unknown message type");
    assert_invalid(R"({"event":"message","type":1,"data":""})", "unknown message type");
}

void a_context_command_carries_its_patch(void**) {
    const Command command = parse_command(R"({"event":"context","context":{"a": null, "b": {"c": "é"}}})");
    const auto* const change = std::get_if<ContextCommand>(&command);
    assert_non_null(change);
    ws::test::assert_bytes_equal(change->merge_patch, R"({"a":null,"b":{"c":"\u00e9"}})");
    for (const std::string_view context : {"null", "[]", "\"{}\"", "1"}) {
        assert_invalid(R"({"event":"context","context":)" + std::string(context) + "}", "context is not an object");
    }
    assert_invalid(R"({"event":"context"})", "context is not an object");
}

void a_close_has_a_code_and_a_reason_or_their_defaults(void**) {
    assert_close(R"({"event":"close","code":4000,"reason":"bye"})", 4000, "bye");
    assert_close(R"({"event":"close"})", 1000, "");
    assert_close(R"({"event":"close","reason":"é"})", 1000, "é");
    for (const unsigned code : {1000U, 1003U, 1007U, 1014U, 3000U, 4999U}) {
        assert_close(R"({"event":"close","code":)" + std::to_string(code) + "}", code, "");
    }
}

void a_code_that_may_not_be_sent_is_invalid(void**) {
    for (const std::string_view code :
         {"0", "-1", "999", "1004", "1005", "1006", "1015", "2999", "5000", "66536", "-64536", "4294968296",
          "9223372036854775807", "4000.0", "\"4000\"", "null", "true", "[4000]"}) {
        assert_invalid(R"({"event":"close","code":)" + std::string(code) + "}", "code is not one that may be sent");
    }
}

void a_reason_fits_into_a_control_frame(void**) {
    assert_close(R"({"event":"close","reason":")" + std::string(123, 'x') + "\"}", 1000, std::string(123, 'x'));
    assert_invalid(R"({"event":"close","reason":")" + std::string(124, 'x') + "\"}", "reason is longer than 123 bytes");
    std::string two_byte_characters;
    for (int i = 0; i < 62; ++i) two_byte_characters += "é";
    assert_invalid(R"({"event":"close","reason":")" + two_byte_characters + "\"}", "reason is longer than 123 bytes");
    assert_invalid(R"({"event":"close","reason":null})", "reason is not a string");
    assert_invalid(R"({"event":"close","reason":1})", "reason is not a string");
}

void unknown_members_are_ignored(void**) {
    assert_message(R"({"event":"message","connection":"c1","seq":1,"context":{},"code":"x","data":"a"})",
                   MessageType::text, "a");
    assert_close(R"({"event":"close","data":5,"type":7})", 1000, "");
}

void anything_else_is_invalid(void**) {
    for (const std::string_view text :
         {"", "hello", "{", "{}{}", "{\"event\":\"message\",\"data\":\"\xff\"}",
          R"({"event":"message","data":"a","data":"b"})", R"({"event":"message","data":"\ud800"})",
          R"({"event":"message","data":"a"} x)"}) {
        assert_invalid(text, "not JSON");
    }
    assert_invalid("{\"event\":\"close\"}\0"sv, "not JSON");
    for (const std::string_view text : {"[]", "null", "\"close\"", "5", R"([{"event":"close"}])"}) {
        assert_invalid(text, "not an object");
    }
    for (const std::string_view text : {"{}", R"({"event":null})", R"({"event":["close"]})", R"({"Event":"close"})"}) {
        assert_invalid(text, "no event");
    }
    for (const std::string_view event : {"", "open", "Close", "close ", "close\\u0000", "messages"}) {
        assert_invalid(R"({"event":")" + std::string(event) + R"(","data":"a"})", "unknown event");
    }
    assert_invalid(R"({"event":"message","type":"json","data":18446744073709551615})",
                   "a number that can't be kept exactly");
    assert_invalid(
        R"({"event":"message","type":"json","data":)" + std::string(1000, '[') + std::string(1000, ']') + "}",
        "nested too deep");
    assert_invalid(std::string(1'000'000, '['), "nested too deep");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_message_is_read_as_any_other_command),
        cmocka_unit_test(a_message_is_text_unless_it_says_otherwise),
        cmocka_unit_test(binary_data_is_base64),
        cmocka_unit_test(json_data_is_any_value_compactly),
        cmocka_unit_test(a_message_of_wrong_shape_is_invalid),
        cmocka_unit_test(a_context_command_carries_its_patch),
        cmocka_unit_test(a_close_has_a_code_and_a_reason_or_their_defaults),
        cmocka_unit_test(a_code_that_may_not_be_sent_is_invalid),
        cmocka_unit_test(a_reason_fits_into_a_control_frame),
        cmocka_unit_test(unknown_members_are_ignored),
        cmocka_unit_test(anything_else_is_invalid),
    };
    return cmocka_run_group_tests_name("commands", tests, nullptr, nullptr);
}
