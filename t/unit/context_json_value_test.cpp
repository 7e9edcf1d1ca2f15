#include "context/json.h"
#include "context/json_value.h"

#include "cmocka.hpp"

using namespace ws::context;
using namespace std::string_view_literals;

namespace {

void assert_value(std::string_view text, bool wanted, std::source_location where = std::source_location::current()) {
    if (is_json_value(text) != wanted) {
        print_error("%s: %.*s\n", wanted ? "refused" : "accepted", static_cast<int>(text.size()), text.data());
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
}

void one_value_of_any_type_is_accepted(void**) {
    for (const std::string_view text : {"null",
                                        "true",
                                        "false",
                                        "0",
                                        "-0",
                                        "12",
                                        "-1.5e+3",
                                        "1E5",
                                        "1e-5",
                                        "0.0",
                                        "10",
                                        "\"\"",
                                        "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
                                        "[]",
                                        "{}",
                                        " [ ] ",
                                        "\t{\r\n}\n",
                                        "[[],{},[{}]]",
                                        "[1,[2,{\"a\":[3]}],\"x\"]",
                                        R"({"a":{"b":{}},"c":[]})",
                                        R"( { "a" : 1 , "b" : [ 1 , 2 ] } )",
                                        R"("\ud83d\ude00")",
                                        R"("\uD83D\uDE00")",
                                        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"",
                                        R"({"":0})",
                                        R"("\u0000")",
                                        "18446744073709551616",
                                        "0.1234567890123456789012345678901234567890",
                                        R"({"a":1,"a":2})"}) {
        assert_value(text, true);
    }
}

void anything_else_is_refused(void**) {
    for (const std::string_view text : {"",
                                        " ",
                                        "x",
                                        "nul",
                                        "nulll",
                                        "True",
                                        "truefalse",
                                        "1 2",
                                        "1,2",
                                        "{} {}",
                                        "[",
                                        "]",
                                        "{",
                                        "}",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "[,1]",
                                        "[1 2]",
                                        "[}",
                                        "{]",
                                        "[]]",
                                        "{}}",
                                        "[[]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{,}",
                                        "{\"a\":1 \"b\":2}",
                                        "{1:2}",
                                        "{a:1}",
                                        "{\"a\" 1}",
                                        "{\"a\"::1}",
                                        "[\"a\":1]",
                                        "01",
                                        "-",
                                        "-a",
                                        "+1",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "1e+",
                                        "1.e1",
                                        "--1",
                                        "0x1",
                                        "1a",
                                        "NaN",
                                        "Infinity",
                                        "-Infinity",
                                        "\"",
                                        "\"a",
                                        "\"\\\"",
                                        "\"\\",
                                        "\"\\x\"",
                                        "\"\\u\"",
                                        "\"\\u12\"",
                                        "\"\\u12g4\"",
                                        "\"\\u-123\"",
                                        "\"\\u 123\"",
                                        "\"\n\"",
                                        "\"\t\"",
                                        "\"\x1f\"",
                                        "'a'",
                                        "// c\n1",
                                        "1 /* c */",
                                        "\xef\xbb\xbf"
                                        "1",
                                        "\v1",
                                        "\xc2\xa0"
                                        "1"}) {
        assert_value(text, false);
    }
    assert_value("1\0"sv, false);
    assert_value("\"\0\""sv, false);
    assert_value({}, false);
}

// Grammatical, but a parser of the backend may refuse the envelope for it.
void what_common_parsers_refuse_is_refused(void**) {
    for (const std::string_view text :
         {R"("\ud800")", R"("\ud800x")", R"("\ud800\n")", R"("\ud800\ud800")", R"("\ud800\u0041")", R"("\ude00")",
          R"("\ude00\ud83d")", R"("\ud83d\u")", "1e400", "-1e400", "[1e309]", "\"\xff\"", "\"\xc0\xaf\"",
          "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\""}) {
        assert_value(text, false);
    }
}

void nesting_is_limited(void**) {
    const auto nested = [](std::size_t levels, std::string_view open, std::string_view inner, std::string_view close) {
        std::string text;
        for (std::size_t i = 0; i < levels; ++i) text += open;
        text += inner;
        for (std::size_t i = 0; i < levels; ++i) text += close;
        return text;
    };
    assert_value(nested(max_depth, "[", "", "]"), true);
    assert_value(nested(max_depth, "[", "1", "]"), true);
    assert_value(nested(max_depth, "{\"a\":", "1", "}"), true);
    assert_value(nested(max_depth + 1, "[", "", "]"), false);
    assert_value(nested(max_depth + 1, "{\"a\":", "1", "}"), false);
    assert_value(nested((max_depth - 1) / 2, "[{\"a\":", "1", "}]"), true);
    assert_value(nested((max_depth - 1) / 2, "[{\"a\":", "1", "]}"), false);
    assert_value(std::string(1'000'000, '['), false);
}

void every_prefix_of_a_value_is_refused(void**) {
    constexpr std::string_view text = R"({"a":[1,-2.5e3,"x\u00e9\ud83d\ude00",true,null,{}],"b":{"c":[]}})";
    assert_value(text, true);
    for (std::size_t size = 0; size < text.size(); ++size) {
        const std::string prefix(text.substr(0, size));  // a copy of its own: the sanitizer sees reads past it
        assert_value(prefix, false);
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(one_value_of_any_type_is_accepted),     cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(what_common_parsers_refuse_is_refused), cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(every_prefix_of_a_value_is_refused),
    };
    return cmocka_run_group_tests_name("JSON values", tests, nullptr, nullptr);
}
