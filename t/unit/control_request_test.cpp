#include "control/request.h"

#include "cmocka.hpp"
#include "control/answer.h"
#include "control/route.h"

using namespace ws::control;
using ws::test::assert_bytes_equal;

namespace {

constexpr std::string_view context = R"({"user":{"id":"42","n":7,"x":1.5},"a.b":true,"tags":["x","y"],"none":null})";
const std::string id = "0123456789abcdef0123456789abcdef";

bool holds(std::string path, std::string value) {
    return Selection{{}, {{std::move(path), std::move(value)}}}.matches({}, context);
}

void a_field_has_a_value(void**) {
    assert_true(holds("user.id", "42"));
    assert_true(holds("user.n", "7"));
    assert_true(holds("user.x", "1.5"));
    assert_true(holds("a.b", "true"));
    assert_true(holds("tags.1", "y"));
    assert_true(holds("tags", R"(["x","y"])"));
    assert_true(holds("none", "null"));
}

void a_field_has_another_value_or_none(void**) {
    assert_false(holds("user.id", "4"));
    assert_false(holds("user.id", "\"42\""));
    assert_false(holds("user.n", "7.0"));
    assert_false(holds("user", "42"));
    assert_false(holds("user.ID", "42"));
    assert_false(holds("nobody", ""));
    assert_false(holds("tags.2", "y"));
    assert_false((Selection{{}, {{"a", "b"}}}).matches({}, {}));
    assert_false((Selection{{}, {{"a", "b"}}}).matches({}, "[]"));
}

void all_parts_of_a_selection_have_to_hold(void**) {
    const Selection both{id, {{"user.id", "42"}, {"user.n", "7"}}};
    assert_true(both.matches(id, context));
    assert_false(both.matches("", context));
    assert_false((Selection{id, {{"user.id", "42"}, {"user.n", "8"}}}).matches(id, context));
    assert_true(Selection{}.matches(id, {}));
}

void a_description_is_found_by_its_id(void**) {
    const std::string text =
        describe({.id = id, .session = {}, .delivery = "headers", .path = "/\xff\"", .client = "::1", .context = "{}"});
    assert_bytes_equal(described_id(text), id);
    assert_bytes_equal(
        text,
        "{\"id\":\"" + id +
            R"(","session":null,"delivery":"headers","path":"/\ufffd\"","client":"::1","age_ms":0,"messages_in":0,"messages_out":0,"bytes_in":0,"bytes_out":0,"context":{}})");
    assert_bytes_equal(described_id("{\"id\":\"x\"}"), "");
    assert_bytes_equal(described_id("{}"), "");
}

void arguments_are_decoded_as_forms_are(void**) {
    const auto routed = route({"GET", "/connections", "context.a+b=c%2Bd&&limit=5", {}});
    const auto& list = std::get<List>(std::get<Request>(routed));
    assert_true(list.selection.filters == std::vector<Filter>({{"a b", "c+d"}}));
    assert_int_equal(list.limit, 5);
}

void a_body_has_a_type(void**) {
    const std::string path = "/connections/" + id + "/messages";
    const auto type = [&path](std::string_view content_type) {
        const auto routed = route({"POST", path, {}, content_type});
        const auto* request = std::get_if<Request>(&routed);
        return request == nullptr
                   ? -1
                   : static_cast<int>(std::get<ws::context::MessageCommand>(std::get<Act>(*request).command).type);
    };
    assert_int_equal(type("text/plain"), static_cast<int>(ws::context::MessageType::text));
    assert_int_equal(type("Text/Plain ; charset=utf-8"), static_cast<int>(ws::context::MessageType::text));
    assert_int_equal(type("application/octet-stream"), static_cast<int>(ws::context::MessageType::binary));
    assert_int_equal(type("text/plainer"), -1);
    assert_int_equal(type(""), -1);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_field_has_a_value),
        cmocka_unit_test(a_field_has_another_value_or_none),
        cmocka_unit_test(all_parts_of_a_selection_have_to_hold),
        cmocka_unit_test(a_description_is_found_by_its_id),
        cmocka_unit_test(arguments_are_decoded_as_forms_are),
        cmocka_unit_test(a_body_has_a_type),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
