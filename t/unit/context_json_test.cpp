#include "context/json.h"

#include "cmocka.hpp"

using namespace ws::context;
using namespace std::string_view_literals;

namespace {

std::string rewritten(std::string_view text, Charset charset = Charset::ascii) {
    const JsonParse parsed = parse_json(text);
    std::string out;
    if (parsed.value) append_json(out, parsed.value.get(), charset);
    return out;
}

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

void assert_error(std::string_view text, JsonError error,
                  std::source_location where = std::source_location::current()) {
    const JsonParse parsed = parse_json(text);
    if (parsed.error != error || (parsed.value == nullptr) != (error != JsonError::none)) {
        print_error("%.*s: error %d, wanted %d\n", static_cast<int>(text.size()), text.data(),
                    static_cast<int>(parsed.error), static_cast<int>(error));
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
}

void values_are_written_compactly_in_their_order(void**) {
    ws::test::assert_bytes_equal(rewritten(R"( { "b" : [ 1 , true , false , null , [ ] , { } ] , "a" : "x" } )"),
                                 R"({"b":[1,true,false,null,[],{}],"a":"x"})");
}

void ascii_escapes_all_that_is_not_visible_ascii(void**) {
    ws::test::assert_bytes_equal(
        rewritten("\"\\u0000\\n\\r\\t\\b\\f\\u001f\\u007f\\\"\\\\\\/ \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
        R"("\u0000\n\r\t\b\f\u001f\u007f\"\\/ \u00e9\u20ac\ud83d\ude00")");
    ws::test::assert_bytes_equal(rewritten("{\"\xc3\xa9\\n\":1}"), R"({"\u00e9\n":1})");
}

void utf8_stays_when_asked_for(void**) {
    ws::test::assert_bytes_equal(rewritten("{\"\\u00e9\":\"\\u20ac\\ud83d\\ude00\\u0001\\u007f\"}", Charset::utf8),
                                 "{\"\xc3\xa9\":\"\xe2\x82\xac\xf0\x9f\x98\x80\\u0001\x7f\"}");
}

void bytes_that_are_not_utf8_become_replacement_characters(void**) {
    const struct {
        std::string_view bytes, json;
    } cases[] = {
        {"a\xff"
         "b",
         R"("a\ufffdb")"},
        {"\xc3", R"("\ufffd")"},
        {"\xc0\xaf", R"("\ufffd\ufffd")"},                      // overlong
        {"\xe0\x80\x80", R"("\ufffd\ufffd\ufffd")"},            // overlong
        {"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},            // surrogate
        {"\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},  // beyond U+10FFFF
        {"\xf0\x80\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},  // overlong
        {"\xe2\x82\"", R"("\ufffd\ufffd\"")"},
        {"\x80\0\x7f"sv, R"("\ufffd\u0000\u007f")"},
        {"\xf4\x8f\xbf\xbf", R"("\udbff\udfff")"},
        {"\xef\xbf\xbf", R"("\uffff")"},
        {"", R"("")"},
    };
    for (const auto& c : cases) {
        std::string out;
        append_ascii_string(out, c.bytes);
        ws::test::assert_bytes_equal(out, c.json);
    }
}

void every_byte_survives_in_a_written_string(void**) {
    std::string text;
    for (int byte = 0; byte < 0x80; ++byte) text += static_cast<char>(byte);
    for (const auto append : {append_ascii_string, append_utf8_string}) {
        std::string out;
        append(out, text);
        if (append == append_utf8_string) { assert_int_equal(utf8_string_size(text), out.size()); }
        const JsonPtr value(json_loadb(out.data(), out.size(), JSON_DECODE_ANY | JSON_ALLOW_NUL, nullptr));
        assert_non_null(value.get());
        ws::test::assert_bytes_equal({json_string_value(value.get()), json_string_length(value.get())}, text);
    }
}

void integers_are_kept_exactly_or_refused(void**) {
    for (const std::string_view number :
         {"0", "-1", "1700000000000", "9007199254740993", "9223372036854775807", "-9223372036854775808"}) {
        ws::test::assert_bytes_equal(rewritten(number), number);
    }
    assert_error("9223372036854775808", JsonError::inexact_number);
    assert_error("-9223372036854775809", JsonError::inexact_number);
    assert_error("[1,{\"a\":100000000000000000000}]", JsonError::inexact_number);
}

void reals_keep_their_value_and_stay_reals(void**) {
    const struct {
        std::string_view read, written;
    } cases[] = {
        {"0.1", "0.1"},
        {"9.99", "9.99"},
        {"1.0", "1.0"},
        {"-0.0", "-0.0"},
        {"1.50", "1.5"},
        {"1e2", "100.0"},
        {"1E+2", "100.0"},
        {"0.10000000000000001", "0.1"},
        {"1e22", "1e+22"},
        {"1e300", "1e+300"},
        {"5e-324", "5e-324"},
        {"1700000000.123", "1700000000.123"},
        {"0e5", "0.0"},
        {"1e-7", "1e-07"},
        {"123456789012345.67", "123456789012345.67"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"2.2250738585072014e-308", "2.2250738585072014e-308"},
        {"100000000000000000000000.0", "1e+23"},
        {"4480000000044200e2", "448000000004419968.0"},
        {"448000000004419968.0", "448000000004419968.0"},
        {"0.1000000000000000055511151231257827", "0.1"},
    };
    for (const auto& c : cases) {
        ws::test::assert_bytes_equal(rewritten(c.read), c.written);
        const JsonPtr before(json_loadb(c.read.data(), c.read.size(), JSON_DECODE_ANY, nullptr));
        const JsonPtr after(json_loadb(c.written.data(), c.written.size(), JSON_DECODE_ANY, nullptr));
        assert_true(json_equal(before.get(), after.get()));
    }
}

void reals_that_are_no_double_are_refused(void**) {
    for (const std::string_view number :
         {"1e400", "-1e400", "1e-400", "9007199254740993.0", "448000000004419967.0", "0.123456789012345678",
          "3.14159265358979323846", "1.23456789e-320", "[0.5,{\"a\":12345678901234567890.5}]"}) {
        assert_error(number, JsonError::inexact_number);
    }
    assert_error("0." + std::string(1000, '1'), JsonError::inexact_number);
    assert_error(R"(["1e400","\"3.14159265358979323846","\\"])", JsonError::none);
}

void bad_syntax_is_refused(void**) {
    for (const std::string_view text : {"",
                                        " ",
                                        "{",
                                        "{}}",
                                        "{} x",
                                        "[1,]",
                                        "{\"a\":1,}",
                                        "'a'",
                                        "nul",
                                        "NaN",
                                        "Infinity",
                                        "01",
                                        "1.",
                                        ".5",
                                        "+1",
                                        "0x1",
                                        "\"\n\"",
                                        "\"\\x\"",
                                        "\"\xff\"",
                                        "\"\xed\xa0\x80\"",
                                        "\"\\ud800\"",
                                        "\"\\ude00\\ud800\"",
                                        "// c\n1",
                                        "\xef\xbb\xbf{}",
                                        "{a:1}",
                                        R"({"a":1,"a":1})",
                                        R"({"a":1,"\u0061":2})",
                                        R"({"a\u0000":1})"}) {
        assert_error(text, JsonError::syntax);
    }
    for (const std::string_view text : {"{}\0"sv, "\0"sv, "74\0"sv, "[1\0]"sv, "{\"a\":1\0}"sv, "\"\0\""sv}) {
        assert_error(text, JsonError::syntax);
    }
    assert_error({}, JsonError::syntax);
}

void nesting_is_limited(void**) {
    assert_error(nested(max_depth), JsonError::none);
    assert_error(nested(max_depth + 1), JsonError::too_deep);
    assert_error(nested(100'000), JsonError::too_deep);
    assert_error("[" + nested(max_depth - 1) + "," + nested(max_depth - 1) + "]", JsonError::none);
    assert_error("\"" + std::string(1000, '[') + "\"", JsonError::none);
    assert_int_equal(static_cast<int>(parse_json("[[]]", 1).error), static_cast<int>(JsonError::too_deep));
    assert_non_null(parse_json("[[]]", 2).value.get());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_compactly_in_their_order),
        cmocka_unit_test(ascii_escapes_all_that_is_not_visible_ascii),
        cmocka_unit_test(utf8_stays_when_asked_for),
        cmocka_unit_test(bytes_that_are_not_utf8_become_replacement_characters),
        cmocka_unit_test(every_byte_survives_in_a_written_string),
        cmocka_unit_test(integers_are_kept_exactly_or_refused),
        cmocka_unit_test(reals_keep_their_value_and_stay_reals),
        cmocka_unit_test(reals_that_are_no_double_are_refused),
        cmocka_unit_test(bad_syntax_is_refused),
        cmocka_unit_test(nesting_is_limited),
    };
    return cmocka_run_group_tests_name("JSON", tests, nullptr, nullptr);
}
