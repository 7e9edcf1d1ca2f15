#include "context/json.h"
#include "context/recipe.h"

#include "cmocka.hpp"

using namespace ws::context;
using namespace std::string_literals;
using Fields = std::vector<Field>;

namespace {

constexpr std::string_view session =
    R"({"id":"u1","user":{"id":7,"name":"Zoë","deep":{"x":1,"y":2}},"roles":["admin","dev"],"secret":"s","n":null,"user.x":"literal"})";

void assert_built(const BuildResult& result, std::string_view json,
                  std::source_location where = std::source_location::current()) {
    if (!result.context || result.error != BuildError::none) {
        print_error("error %d, field %s\n", static_cast<int>(result.error), result.field.c_str());
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
    ws::test::assert_bytes_equal(result.context->json(), json, where);
    const JsonPtr parsed(json_loadb(json.data(), json.size(), JSON_ALLOW_NUL, nullptr));
    if (!parsed) _fail(where.file_name(), static_cast<int>(where.line()));
}

void assert_failed(const BuildResult& result, BuildError error, std::string_view field = {},
                   std::source_location where = std::source_location::current()) {
    if (result.context || result.error != error) {
        print_error("error %d, wanted %d\n", static_cast<int>(result.error), static_cast<int>(error));
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
    ws::test::assert_bytes_equal(result.field, field, where);
}

BuildResult selected(std::vector<std::string> paths, const Fields& fields = {}) {
    return Recipe{false, std::move(paths)}.build(session, fields);
}

BuildResult with_field(Field field, std::string_view text = "{}") {
    return Recipe{}.build(text, Fields{std::move(field)});
}

void the_whole_session_is_the_context_by_default(void**) {
    assert_built(Recipe{}.build(R"( {"b": 1, "a": {"c": "é"}} )", {}), R"({"b":1,"a":{"c":"\u00e9"}})");
    assert_built(Recipe{}.build("{}", {}), "{}");
}

void the_example_that_started_the_project_is_built_exactly(void**) {
    const Fields fields{FieldValue{"createdAt", FieldType::number, "1700000000123"},
                        FieldValue{"token", FieldType::string, "a1b2c3"}, SessionField{"userId", "user.id", {}}};
    assert_built(selected({}, fields), R"({"createdAt":1700000000123,"token":"a1b2c3","userId":7})");
}

void selected_members_stand_in_the_order_of_the_selection(void**) {
    assert_built(selected({"secret", "id"}), R"({"secret":"s","id":"u1"})");
    assert_built(selected({}), "{}");
    assert_built(selected({"n", "absent", "user.absent", "roles.7", "id.x"}), R"({"n":null})");
}

void a_selected_path_keeps_its_structure(void**) {
    assert_built(selected({"user.id"}), R"({"user":{"id":7}})");
    assert_built(selected({"user.deep.y", "id", "user.id", "user.deep.x"}),
                 R"({"user":{"deep":{"y":2,"x":1},"id":7},"id":"u1"})");
    assert_built(selected({"user.x"}), R"({"user.x":"literal"})");
    assert_built(selected({"roles.1"}), R"({"roles":[null,"dev"]})");
    assert_built(selected({"roles.1", "roles.0"}), R"({"roles":["admin","dev"]})");
}

void a_whole_and_a_part_of_it_are_the_whole(void**) {
    constexpr std::string_view whole = R"({"user":{"id":7,"name":"Zo\u00eb","deep":{"x":1,"y":2}}})";
    assert_built(selected({"user", "user.id"}), whole);
    assert_built(selected({"user.id", "user"}), whole);
    assert_built(selected({"user.deep.x", "user", "user.deep.y"}), whole);
    assert_built(selected({"roles", "roles.0"}), R"({"roles":["admin","dev"]})");
}

void a_field_replaces_a_member_in_place_and_reads_the_original(void**) {
    const Fields fields{FieldValue{"id", FieldType::string, "new"}, SessionField{"old", "id", {}},
                        FieldValue{"last", FieldType::string, ""}};
    assert_built(selected({"id", "secret"}, fields), R"({"id":"new","secret":"s","old":"u1","last":""})");
    assert_built(Recipe{}.build(R"({"id":"u1","secret":"s"})", fields),
                 R"({"id":"new","secret":"s","old":"u1","last":""})");
    const Fields twice{FieldValue{"a", FieldType::number, "1"}, FieldValue{"b", FieldType::number, "2"},
                       FieldValue{"a", FieldType::number, "3"}};
    assert_built(Recipe{}.build("{}", twice), R"({"a":3,"b":2})");
}

void a_value_becomes_its_type(void**) {
    const struct {
        FieldType type;
        std::string_view text, json;
    } cases[] = {
        {FieldType::string, "a\"\n\\é", R"("a\"\n\\\u00e9")"},
        {FieldType::string, "", R"("")"},
        {FieldType::number, "12.50", "12.5"},
        {FieldType::number, "-3", "-3"},
        {FieldType::boolean, "true", "true"},
        {FieldType::boolean, "1", "true"},
        {FieldType::boolean, "on", "true"},
        {FieldType::boolean, "false", "false"},
        {FieldType::boolean, "0", "false"},
        {FieldType::boolean, "off", "false"},
        {FieldType::boolean, "", "false"},
        {FieldType::json, R"( {"a": [1]} )", R"({"a":[1]})"},
        {FieldType::json, "null", "null"},
        {FieldType::json, "\"x\"", R"("x")"},
    };
    for (const auto& c : cases) {
        assert_built(with_field(FieldValue{"f", c.type, std::string(c.text)}), R"({"f":)" + std::string(c.json) + "}");
    }
    assert_built(with_field(FieldValue{"f", FieldType::string, "a\0b"s}), R"({"f":"a\u0000b"})");
}

void a_value_that_does_not_fit_its_type_names_the_field(void**) {
    const struct {
        FieldType type;
        std::string_view text;
    } cases[] = {
        {FieldType::string, "\xff"},  {FieldType::string, "\xed\xa0\x80"},
        {FieldType::number, ""},      {FieldType::number, "x"},
        {FieldType::number, "1x"},    {FieldType::number, "0x10"},
        {FieldType::number, "\"1\""}, {FieldType::number, "true"},
        {FieldType::number, "1,2"},   {FieldType::number, "01"},
        {FieldType::number, "NaN"},   {FieldType::number, "9223372036854775808"},
        {FieldType::number, "1e400"}, {FieldType::boolean, "yes"},
        {FieldType::boolean, "TRUE"}, {FieldType::boolean, "2"},
        {FieldType::json, ""},        {FieldType::json, "{"},
        {FieldType::json, "{} {}"},   {FieldType::json, R"({"a":1,"a":2})"},
    };
    for (const auto& c : cases) {
        assert_failed(with_field(FieldValue{"f", c.type, std::string(c.text)}), BuildError::bad_field, "f");
    }
}

void a_name_that_is_no_member_name_is_refused(void**) {
    assert_failed(with_field(FieldValue{"a\0b"s, FieldType::string, "x"}), BuildError::bad_field, "a\0b"s);
    assert_failed(with_field(FieldValue{"\xff", FieldType::string, "x"}), BuildError::bad_field, "\xff");
}

void a_session_field_keeps_its_type_and_is_null_if_absent(void**) {
    const Fields fields{SessionField{"a", "user.deep", {}}, SessionField{"b", "roles.0", {}},
                        SessionField{"c", "nope", {}},      SessionField{"d", "n", {}},
                        SessionField{"e", "user.id", {}},   SessionField{"f", "nope", FieldType::number}};
    assert_built(selected({}, fields), R"({"a":{"x":1,"y":2},"b":"admin","c":null,"d":null,"e":7,"f":null})");
}

void a_session_field_becomes_its_type_or_names_the_field(void**) {
    const struct {
        std::string_view value;
        FieldType type;
        std::string_view json;  // empty: refused
    } cases[] = {
        {R"("x")", FieldType::string, R"("x")"}, {"7", FieldType::string, R"("7")"},
        {"0.5", FieldType::string, R"("0.5")"},  {"true", FieldType::string, R"("true")"},
        {"null", FieldType::string, "null"},     {"[]", FieldType::string, ""},
        {"{}", FieldType::string, ""},           {"7", FieldType::number, "7"},
        {R"("7")", FieldType::number, "7"},      {R"("x")", FieldType::number, ""},
        {"true", FieldType::number, ""},         {"[]", FieldType::number, ""},
        {"true", FieldType::boolean, "true"},    {R"("off")", FieldType::boolean, "false"},
        {"1", FieldType::boolean, "true"},       {"0", FieldType::boolean, "false"},
        {"2", FieldType::boolean, ""},           {"{}", FieldType::boolean, ""},
        {"[1]", FieldType::json, "[1]"},         {R"("[1]")", FieldType::json, "[1]"},
        {R"("[")", FieldType::json, ""},         {"null", FieldType::boolean, "null"},
    };
    for (const auto& c : cases) {
        const std::string text = R"({"v":)" + std::string(c.value) + "}";
        const Fields fields{SessionField{"f", "v", c.type}};
        const BuildResult result = Recipe{false, {}}.build(text, fields);
        if (c.json.empty()) {
            assert_failed(result, BuildError::bad_field, "f");
        } else {
            assert_built(result, R"({"f":)" + std::string(c.json) + "}");
        }
    }
}

void a_session_that_is_no_object_is_refused(void**) {
    for (const std::string_view text : {"[]", "[{}]", "null", "1", "\"{}\"", "true"}) {
        assert_failed(Recipe{}.build(text, {}), BuildError::not_object);
    }
}

void a_session_that_is_not_json_is_refused(void**) {
    for (const std::string_view text :
         {"", "x", "{", "{}{}", "a:1:{s:2:\"id\";i:1;}", R"({"a":1,"a":2})", "{\"a\":\"\xff\"}", "\x80\x04}\x94."}) {
        assert_failed(Recipe{}.build(text, {}), BuildError::not_json);
    }
}

void a_session_with_a_number_that_would_change_is_refused(void**) {
    assert_failed(Recipe{}.build(R"({"id":18446744073709551615})", {}), BuildError::bad_number);
    assert_failed(Recipe{}.build(R"({"pi":3.14159265358979323846})", {}), BuildError::bad_number);
}

void a_context_nested_too_deep_is_refused(void**) {
    const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
    const auto object = [&](std::size_t levels) { return "{\"a\":" + nested(levels) + "}"; };
    assert_built(Recipe{}.build(object(max_depth - 1), {}), object(max_depth - 1));
    assert_failed(Recipe{}.build(object(max_depth), {}), BuildError::too_deep);
    assert_failed(Recipe{}.build(object(100'000), {}), BuildError::too_deep);
    assert_built(with_field(FieldValue{"a", FieldType::json, nested(max_depth - 1)}), object(max_depth - 1));
    assert_failed(with_field(FieldValue{"a", FieldType::json, nested(max_depth)}), BuildError::bad_field, "a");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_session_is_the_context_by_default),
        cmocka_unit_test(the_example_that_started_the_project_is_built_exactly),
        cmocka_unit_test(selected_members_stand_in_the_order_of_the_selection),
        cmocka_unit_test(a_selected_path_keeps_its_structure),
        cmocka_unit_test(a_whole_and_a_part_of_it_are_the_whole),
        cmocka_unit_test(a_field_replaces_a_member_in_place_and_reads_the_original),
        cmocka_unit_test(a_value_becomes_its_type),
        cmocka_unit_test(a_value_that_does_not_fit_its_type_names_the_field),
        cmocka_unit_test(a_name_that_is_no_member_name_is_refused),
        cmocka_unit_test(a_session_field_keeps_its_type_and_is_null_if_absent),
        cmocka_unit_test(a_session_field_becomes_its_type_or_names_the_field),
        cmocka_unit_test(a_session_that_is_no_object_is_refused),
        cmocka_unit_test(a_session_that_is_not_json_is_refused),
        cmocka_unit_test(a_session_with_a_number_that_would_change_is_refused),
        cmocka_unit_test(a_context_nested_too_deep_is_refused),
    };
    return cmocka_run_group_tests_name("recipes", tests, nullptr, nullptr);
}
