#include "context/token.h"

#include "cmocka.hpp"

using namespace ws::context;
using Status = ArgumentStatus;
using namespace std::string_view_literals;

namespace {

void assert_argument(std::string_view query, Status status, std::string_view value = {},
                     std::source_location where = std::source_location::current()) {
    const ArgumentResult result = find_argument(query, "token");
    if (result.status != status) {
        print_error("status %d, wanted %d\n", static_cast<int>(result.status), static_cast<int>(status));
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
    ws::test::assert_bytes_equal(result.value, value, where);
}

void visible_ascii_without_quotes_is_a_valid_token(void**) {
    assert_true(valid_token("a"));
    assert_true(valid_token("!#$%&()*+,-./09:;<=>?@AZ[]^_`az{|}~"));
    assert_true(valid_token(std::string(4096, 'x')));
}

void everything_else_is_no_valid_token(void**) {
    assert_false(valid_token(""));
    assert_false(valid_token(std::string(4097, 'x')));
    for (int byte = 0; byte < 256; ++byte) {
        const std::string token = {'a', static_cast<char>(byte), 'b'};
        const bool quotes = byte == '"' || byte == '\'' || byte == '\\';
        assert_int_equal(valid_token(token), byte >= 0x21 && byte <= 0x7e && !quotes);
    }
}

void an_argument_is_found_by_its_exact_name(void**) {
    assert_argument("token=abc", Status::found, "abc");
    assert_argument("a=1&token=abc&b=2", Status::found, "abc");
    assert_argument("token", Status::found, "");
    assert_argument("token=", Status::found, "");
    assert_argument("token=a=b", Status::found, "a=b");
    assert_argument("&&token=abc&", Status::found, "abc");
    assert_argument("", Status::absent);
    assert_argument("xtoken=a&tokens=b&Token=c&a=token", Status::absent);
    assert_argument("a=1;token=abc", Status::absent);
    assert_argument(" token=abc", Status::absent);
}

void an_argument_is_percent_decoded_and_plus_stays_plus(void**) {
    assert_argument("token=%61%2B%2f+%26%3D", Status::found, "a+/+&=");
    assert_argument("token=%00%0d%0A%ff", Status::found, "\0\r\n\xff"sv);
    assert_argument("to%6ben=abc", Status::found, "abc");
}

void a_broken_escape_in_the_value_is_malformed(void**) {
    assert_argument("token=%", Status::malformed);
    assert_argument("token=%4", Status::malformed);
    assert_argument("token=%4&b=1", Status::malformed);
    assert_argument("token=%g0", Status::malformed);
    assert_argument("token=%0g", Status::malformed);
    assert_argument("token=%%41", Status::malformed);
}

void a_broken_escape_elsewhere_does_not_matter(void**) {
    assert_argument("a=%&%=b&toke%6=c&token=abc", Status::found, "abc");
}

void an_argument_that_occurs_twice_is_refused(void**) {
    assert_argument("token=a&token=b", Status::duplicate);
    assert_argument("token=a&token=a", Status::duplicate);
    assert_argument("token&token=a", Status::duplicate);
    assert_argument("token=a&%74oken=b", Status::duplicate);
    assert_argument("token=%&token=b", Status::duplicate);
}

void a_bearer_token_is_found(void**) {
    assert_true(bearer_token("Bearer abc") == "abc");
    assert_true(bearer_token("bEARER   aZ09-._~+/==") == "aZ09-._~+/==");
}

void other_authorizations_have_no_bearer_token(void**) {
    for (const std::string_view text :
         {"", "Bearer", "Bearer ", "Bearer =", "Bearerabc", "Bearer\tabc", "Bearer abc ", "Bearer a b", "Bearer a=b",
          "Bearer a,b", "Bearer \"abc\"", "Basic abc", " Bearer abc", "Bearer a\xff",
          "B\xc5"
          "arer abc"}) {
        assert_false(bearer_token(text).has_value());
    }
    assert_false(bearer_token("Bearer a\0"sv).has_value());
    assert_false(bearer_token("Bearer a\r\nX: y").has_value());
}

void values_are_left_out_of_a_query_string(void**) {
    const auto without = [](std::string_view query) {
        const std::string_view names[] = {"t", "a b"};
        return without_values(query, names);
    };
    for (const auto& [query, wanted] : {std::pair{"", ""},
                                        {"t=secret", "t=-"},
                                        {"x=1&t=secret&y=2", "x=1&t=-&y=2"},
                                        {"%74=secret", "%74=-"},
                                        {"a%20b=s&T=1", "a%20b=-&T=1"},
                                        {"t", "t"},
                                        {"t=", "t=-"},
                                        {"&&t=s&&", "&&t=-&&"},
                                        {"t=s=t=s", "t=-"},
                                        {"xt=1&tx=2", "xt=1&tx=2"},
                                        {"t%=1", "t%=1"},
                                        {"t=a&t=b", "t=-&t=-"},
                                        {"t=%zz", "t=-"},
                                        {"=t", "=t"}}) {
        assert_string_equal(without(query).c_str(), wanted);
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(visible_ascii_without_quotes_is_a_valid_token),
        cmocka_unit_test(everything_else_is_no_valid_token),
        cmocka_unit_test(an_argument_is_found_by_its_exact_name),
        cmocka_unit_test(an_argument_is_percent_decoded_and_plus_stays_plus),
        cmocka_unit_test(a_broken_escape_in_the_value_is_malformed),
        cmocka_unit_test(a_broken_escape_elsewhere_does_not_matter),
        cmocka_unit_test(an_argument_that_occurs_twice_is_refused),
        cmocka_unit_test(a_bearer_token_is_found),
        cmocka_unit_test(other_authorizations_have_no_bearer_token),
        cmocka_unit_test(values_are_left_out_of_a_query_string),
    };
    return cmocka_run_group_tests_name("tokens", tests, nullptr, nullptr);
}
