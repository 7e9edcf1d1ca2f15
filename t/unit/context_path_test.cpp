#include "context/json.h"
#include "context/path.h"

#include "cmocka.hpp"

using namespace ws::context;
using namespace std::string_view_literals;

namespace {

constexpr std::string_view session =
    R"({"user":{"id":7,"tags":[["x"],{"y":2}],"0":"zero","a.b":1},"roles":["admin","dev"],"a.b":"literal","a":{"b":"nested"},)"
    R"("":{"":"empty"},"n":null})";

// The value as JSON, or "absent".
std::string found(std::string_view path) {
    const JsonParse parsed = parse_json(session);
    json_t* const value = find_path(parsed.value.get(), path);
    std::string text = "absent";
    if (value != nullptr) {
        text.clear();
        append_json(text, value, Charset::utf8);
    }
    return text;
}

void members_are_found_through_objects_and_arrays(void**) {
    ws::test::assert_bytes_equal(found("user.id"), "7");
    ws::test::assert_bytes_equal(found("roles"), R"(["admin","dev"])");
    ws::test::assert_bytes_equal(found("roles.1"), R"("dev")");
    ws::test::assert_bytes_equal(found("user.tags.0.0"), R"("x")");
    ws::test::assert_bytes_equal(found("user.tags.1.y"), "2");
    ws::test::assert_bytes_equal(found("user.0"), R"("zero")");
    ws::test::assert_bytes_equal(found("n"), "null");
    ws::test::assert_bytes_equal(found(""), R"({"":"empty"})");
    ws::test::assert_bytes_equal(found("."), R"("empty")");
}

void a_member_named_like_the_whole_path_wins_at_the_top(void**) {
    ws::test::assert_bytes_equal(found("a.b"), R"("literal")");
    ws::test::assert_bytes_equal(found("user.a.b"), "absent");
}

void what_is_not_there_is_absent(void**) {
    for (const std::string_view path : {"x", "user.x", "user.id.x", "user.", ".user", "user..id", "n.x", "roles.2",
                                        "roles.-1", "roles.00", "roles.01", "roles.+1", "roles. 1", "roles.1x",
                                        "roles.", "roles.18446744073709551616", "roles.length", "USER.ID"}) {
        ws::test::assert_bytes_equal(found(path), "absent");
    }
    ws::test::assert_bytes_equal(found("n\0x"sv), "absent");
    ws::test::assert_bytes_equal(found("user.id\0"sv), "absent");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_through_objects_and_arrays),
        cmocka_unit_test(a_member_named_like_the_whole_path_wins_at_the_top),
        cmocka_unit_test(what_is_not_there_is_absent),
    };
    return cmocka_run_group_tests_name("paths", tests, nullptr, nullptr);
}
