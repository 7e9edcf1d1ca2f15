#include "context/recent_contexts.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cmocka.hpp"
#include "context/recipe.h"

using namespace ws::context;
using namespace std::string_view_literals;

namespace {

std::shared_ptr<const Context> made_of(std::string_view session) { return Recipe{}.build(session, {}).context; }

std::string session(int number) { return "{\"n\":" + std::to_string(number) + "}"; }

void at_first_nothing_is_found(void**) {
    const RecentContexts recent;
    assert_null(recent.find("{}").get());
    assert_null(recent.find("").get());
}

void a_context_is_found_by_its_text_and_shared(void**) {
    RecentContexts recent;
    const auto context = made_of(session(1));
    std::string text = session(1);
    recent.add(text, context);
    text.assign(text.size(), 'x');  // it has its own copy
    assert_ptr_equal(recent.find(session(1)).get(), context.get());
    assert_int_equal(context.use_count(), 2);
}

void a_text_that_differs_in_anything_is_another(void**) {
    RecentContexts recent;
    recent.add(R"({"a":1})", made_of(R"({"a":1})"));
    for (const std::string_view text :
         {R"({"a":2})"sv, R"({"a":1} )"sv, R"( {"a":1})"sv, R"({"a":1)"sv, R"({"A":1})"sv, "{\"a\":1}\0"sv, ""sv}) {
        assert_null(recent.find(text).get());
    }
    const auto with_nul = made_of("{}");
    recent.add("{}\0b"sv, with_nul);
    assert_ptr_equal(recent.find("{}\0b"sv).get(), with_nul.get());
    assert_null(recent.find("{}\0c"sv).get());
    assert_null(recent.find("{}"sv).get());
}

void the_last_context_of_a_text_counts(void**) {
    RecentContexts recent;
    auto first = made_of(session(1));
    const std::weak_ptr<const Context> before = first;
    recent.add(session(1), std::move(first));
    const auto second = made_of(session(1));
    recent.add(session(1), second);
    assert_ptr_equal(recent.find(session(1)).get(), second.get());
    assert_true(before.expired());
}

void a_text_of_more_than_4_KiB_is_not_kept_and_takes_no_place(void**) {
    RecentContexts recent;
    const auto of_size = [](std::size_t size) { return "{\"a\":\"" + std::string(size - 8, 'x') + "\"}"; };
    recent.add(of_size(4096), made_of(of_size(4096)));
    assert_non_null(recent.find(of_size(4096)).get());

    std::vector<std::string> kept;
    for (int n = 0; n < 1000; ++n) { recent.add(session(n), made_of(session(n))); }
    for (int n = 0; n < 1000; ++n) {
        if (recent.find(session(n)) != nullptr) { kept.push_back(session(n)); }
    }
    for (std::size_t size = 4097; size < 6000; ++size) {
        recent.add(of_size(size), made_of(of_size(size)));
        assert_null(recent.find(of_size(size)).get());
    }
    for (const std::string& text : kept) { assert_non_null(recent.find(text).get()); }
}

void there_are_256_at_most_each_with_its_own_context(void**) {
    RecentContexts recent;
    std::vector<std::weak_ptr<const Context>> contexts;
    for (int n = 0; n < 10'000; ++n) {
        auto context = made_of(session(n));
        contexts.push_back(context);
        recent.add(session(n), std::move(context));
        assert_non_null(recent.find(session(n)).get());  // the last one is always there
    }
    std::size_t found = 0;
    for (int n = 0; n < 10'000; ++n) {
        const auto context = recent.find(session(n));
        if (context == nullptr) { continue; }
        ++found;
        ws::test::assert_bytes_equal(context->json(), session(n));
    }
    // Ten thousand leave no place empty, and what has lost its place is freed.
    assert_int_equal(found, 256);
    assert_int_equal(std::ranges::count_if(contexts, [](const auto& context) { return !context.expired(); }), 256);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(at_first_nothing_is_found),
        cmocka_unit_test(a_context_is_found_by_its_text_and_shared),
        cmocka_unit_test(a_text_that_differs_in_anything_is_another),
        cmocka_unit_test(the_last_context_of_a_text_counts),
        cmocka_unit_test(a_text_of_more_than_4_KiB_is_not_kept_and_takes_no_place),
        cmocka_unit_test(there_are_256_at_most_each_with_its_own_context),
    };
    return cmocka_run_group_tests_name("recent contexts", tests, nullptr, nullptr);
}
