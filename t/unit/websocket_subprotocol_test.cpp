#include "cmocka.hpp"

#include <string_view>
#include <vector>

#include "websocket/header_value.h"
#include "websocket/subprotocol.h"

using namespace ws::websocket;
using Names = std::vector<std::string_view>;

namespace {

void offers_keep_their_order_over_several_lines(void**) {
    assert_true(offered_subprotocols(Names{}) == Names{});
    assert_true(offered_subprotocols(Names{""}) == Names{});
    assert_true(offered_subprotocols(Names{"b, a"}) == (Names{"b", "a"}));
    assert_true(offered_subprotocols(Names{" b\t,a ", "c"}) == (Names{"b", "a", "c"}));
    assert_true(offered_subprotocols(Names{"a,,b,", ", ,"}) == (Names{"a", "b"}));  // RFC 9110 5.6.1.2
    assert_true(offered_subprotocols(Names{"a,A"}) == (Names{"a", "A"}));
    assert_true(offered_subprotocols(Names{"v12.stomp, bearer.aGk"}) == (Names{"v12.stomp", "bearer.aGk"}));
}

// RFC 6455 4.1, field 10: names are tokens, and each is there once.
void offers_that_the_client_must_not_make(void**) {
    for (const Names& lines :
         {Names{"a b"}, Names{"a,a"}, Names{"a", "b, a"}, Names{"a/b"}, Names{"\"a\""}, Names{"a=b"}, Names{"a;b"},
          Names{"\x80"}, Names{"a\x01"}, Names{std::string_view("a\0", 2)}}) {
        assert_false(offered_subprotocols(lines).has_value());
    }
}

// RFC 6455 4.2.2, field 5, and 11.3.4: one line, one name, and that was offered; no line is right as well.
void an_answer_has_one_name_that_was_offered(void**) {
    const Names offered{"a", "b"};
    assert_true(valid_subprotocol_answer(Names{}, offered));
    assert_true(valid_subprotocol_answer(Names{"a"}, offered));
    assert_true(valid_subprotocol_answer(Names{" b "}, offered));
    for (const Names& lines : {Names{"c"}, Names{"A"}, Names{""}, Names{"a, b"}, Names{"a", "b"}, Names{"a", "a"}}) {
        assert_false(valid_subprotocol_answer(lines, offered));
    }
    assert_true(valid_subprotocol_answer(Names{}, Names{}));
    assert_false(valid_subprotocol_answer(Names{"a"}, Names{}));
}

void tokens_are_those_of_http(void**) {
    for (int c = 0; c < 256; ++c) {
        const char text[] = {static_cast<char>(c), '\0'};
        const bool wanted =
            c > ' ' && c < 0x7f && std::string_view("\"(),/:;<=>?@[\\]{}").find(text[0]) == std::string_view::npos;
        assert_int_equal(is_token({text, 1}), wanted);
    }
    assert_false(is_token(""));
    assert_true(is_token("X-Token"));
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(offers_keep_their_order_over_several_lines),
        cmocka_unit_test(offers_that_the_client_must_not_make),
        cmocka_unit_test(an_answer_has_one_name_that_was_offered),
        cmocka_unit_test(tokens_are_those_of_http),
    };
    return cmocka_run_group_tests_name("websocket subprotocol", tests, nullptr, nullptr);
}
