#include "context/json.h"
#include "context/recipe.h"

#include "cmocka.hpp"

using namespace ws::context;

namespace {

std::shared_ptr<const Context> context_of(std::string_view session) {
    BuildResult result = Recipe{}.build(session, {});
    assert_non_null(result.context.get());
    return result.context;
}

void the_json_is_one_line_of_visible_ascii(void**) {
    std::string session = "{\"text\":\"";
    for (int byte = 0; byte < 0x20; ++byte)
        session += "\\u00" + std::string(byte < 16 ? "0" : "1") + "0123456789abcdef"[byte & 15];
    session += "\x7f\xc2\x85\xe2\x80\xa8\xf0\x9f\x98\x80\"}";
    const auto context = context_of(session);
    for (const char c : context->json()) assert_in_range(static_cast<unsigned char>(c), 0x20, 0x7e);
    const JsonPtr before(json_loadb(session.data(), session.size(), JSON_ALLOW_NUL, nullptr));
    const JsonPtr after(json_loadb(context->json().data(), context->json().size(), JSON_ALLOW_NUL, nullptr));
    assert_true(json_equal(before.get(), after.get()));
}

void base64url_is_the_json_without_padding(void**) {
    ws::test::assert_bytes_equal(context_of("{}")->base64url(), "e30");
    ws::test::assert_bytes_equal(context_of(R"({"a":"~~~???"})")->base64url(), "eyJhIjoifn5-Pz8_In0");
}

void a_member_is_text_as_it_is_or_compact_json(void**) {
    const auto context = context_of(
        R"({"s":"a\"é","e":"","i":7,"r":0.1,"t":true,"o":{"x": ["é"]},"a":[1, 2],"u":{"id":"u1"},"a.b":"literal","tab":"\t"})");
    const struct {
        std::string_view path, text;
    } cases[] = {
        {"s", "a\"é"},  {"e", ""},      {"i", "7"},   {"r", "0.1"},       {"t", "true"},  {"o", R"({"x":["\u00e9"]})"},
        {"a", "[1,2]"}, {"u.id", "u1"}, {"a.1", "2"}, {"a.b", "literal"}, {"o.x.0", "é"}, {"tab", "\t"}};
    for (const auto& c : cases) {
        const auto text = context->member(c.path);
        assert_true(text.has_value());
        ws::test::assert_bytes_equal(*text, c.text);
    }
}

void a_member_that_is_absent_or_null_or_unfit_for_a_header_has_no_text(void**) {
    const auto context =
        context_of(R"({"n":null,"lf":"a\nX-Admin: 1","cr":"a\rb","nul":"a\u0000b","o":{"lf":"a\nb"}})");
    for (const std::string_view path : {"absent", "n", "n.x", "o.absent", "lf", "cr", "nul", "o.lf"}) {
        assert_false(context->member(path).has_value());
    }
    ws::test::assert_bytes_equal(context->member("o").value_or("none"), R"({"lf":"a\nb"})");
}

// RFC 7396, appendix A, as far as both sides are objects; the others within a member, since a context is an object.
void the_merge_patches_of_the_rfc_are_applied(void**) {
    const struct {
        std::string_view original, patch, result;
    } cases[] = {
        {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        {R"({"a":"b"})", R"({"a":null})", "{}"},
        {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
        {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
        {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
        {R"({"v":["a","b"]})", R"({"v":["c","d"]})", R"({"v":["c","d"]})"},
        {R"({"v":{"a":"foo"}})", R"({"v":"bar"})", R"({"v":"bar"})"},
        {R"({"v":[1,2]})", R"({"v":{"a":"b","c":null}})", R"({"v":{"a":"b"}})"},
        {R"({"a":1,"b":2})", R"({"a":{"é":1.50}})", R"({"a":{"\u00e9":1.5},"b":2})"},
        {R"({"a":1})", "{}", R"({"a":1})"},
        {R"({"a":1})", R"({"n":[null]})", R"({"a":1,"n":[null]})"},
    };
    for (const auto& c : cases) {
        const auto context = context_of(c.original);
        const auto patched = context->patched(c.patch);
        assert_non_null(patched.get());
        ws::test::assert_bytes_equal(patched->json(), c.result);
        ws::test::assert_bytes_equal(context->json(), c.original);
    }
}

void a_patch_that_is_no_object_is_refused(void**) {
    const auto context = context_of(R"({"a":1})");
    for (const std::string_view patch :
         {"", "null", "[]", "1", "\"x\"", "{", "{}{}", R"({"a":1,"a":2})", R"({"a":1e999})", "{\"a\":\"\xff\"}"}) {
        assert_null(context->patched(patch).get());
    }
    assert_null(context->patched(std::string(100, '[')).get());
}

void patches_on_patches_stay_within_the_depth_limit(void**) {
    const auto nested = [](std::size_t levels) {
        std::string text = "1";
        for (std::size_t i = 0; i < levels; ++i) text = "{\"a\":" + text + "}";
        return text;
    };
    const auto context = context_of(nested(max_depth));
    const auto patched = context->patched(nested(max_depth));
    assert_non_null(patched.get());
    ws::test::assert_bytes_equal(patched->json(), nested(max_depth));
    assert_non_null(patched->patched("{}").get());
    assert_null(context->patched(nested(max_depth + 1)).get());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_json_is_one_line_of_visible_ascii),
        cmocka_unit_test(base64url_is_the_json_without_padding),
        cmocka_unit_test(a_member_is_text_as_it_is_or_compact_json),
        cmocka_unit_test(a_member_that_is_absent_or_null_or_unfit_for_a_header_has_no_text),
        cmocka_unit_test(the_merge_patches_of_the_rfc_are_applied),
        cmocka_unit_test(a_patch_that_is_no_object_is_refused),
        cmocka_unit_test(patches_on_patches_stay_within_the_depth_limit),
    };
    return cmocka_run_group_tests_name("contexts", tests, nullptr, nullptr);
}
