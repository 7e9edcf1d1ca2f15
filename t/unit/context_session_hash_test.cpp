#include "context/session_hash.h"

#include "cmocka.hpp"
#include "context/recipe.h"

#include <utility>
#include <vector>

namespace {

using namespace ws::context;

using Hash = std::vector<std::pair<std::string_view, std::string_view>>;

void a_hash_becomes_an_object_of_strings(void**) {
    const Hash hash{{"id", "7"},  {"name", "Zoë"},       {"a.b", "literal"},  {"empty", ""},
                    {"none", {}}, {"json", "{\"x\":1}"}, {"nul", {"a\0b", 3}}};
    assert_true(object_of_strings(hash) ==
                R"({"id":"7","name":"Zoë","a.b":"literal","empty":"","none":"","json":"{\"x\":1}","nul":"a\u0000b"})");
    assert_true(object_of_strings({}) == "{}");
}

void a_context_is_made_from_it(void**) {
    const Hash hash{{"id", "7"}, {"a.b", "literal"}, {"json", "{\"x\":1}"}};
    const std::vector<Field> fields{SessionField{"id", "id", FieldType::number},
                                    SessionField{"x", "json", FieldType::json}};
    const BuildResult result = Recipe{false, {"a.b"}}.build(*object_of_strings(hash), fields);
    assert_true(result.context != nullptr);
    assert_true(result.context->json() == R"({"a.b":"literal","id":7,"x":{"x":1}})");
}

void a_hash_that_is_not_utf8_is_refused(void**) {
    assert_false(object_of_strings(Hash{{"a", "\xff"}}).has_value());
    assert_false(object_of_strings(Hash{{"\xff", "a"}}).has_value());
    assert_false(object_of_strings(Hash{{{"a\0b", 3}, "a"}}).has_value());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_becomes_an_object_of_strings),
        cmocka_unit_test(a_context_is_made_from_it),
        cmocka_unit_test(a_hash_that_is_not_utf8_is_refused),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
