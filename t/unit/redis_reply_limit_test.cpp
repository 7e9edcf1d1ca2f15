#include "redis/reply_limit.h"

#include "cmocka.hpp"

using ws::redis::ReplyLimit;

namespace {

constexpr std::size_t limit = 1000;

// How many bytes are taken: whole, and byte by byte, which must agree.
std::size_t taken(std::string_view wire, std::size_t max = limit) {
    ReplyLimit whole{max};
    ReplyLimit dribble{max};
    const std::size_t count = whole.accept(wire);
    std::size_t single = 0;
    while (single < wire.size() && dribble.accept(wire.substr(single, 1)) == 1) {
        ++single;
    }
    assert_int_equal(single, count);
    assert_int_equal(whole.replies(), dribble.replies());
    return count;
}

std::size_t replies(std::string_view wire) {
    ReplyLimit all{limit};
    assert_int_equal(all.accept(wire), wire.size());
    return all.replies();
}

void replies_are_counted_when_whole(void**) {
    assert_int_equal(replies(""), 0);
    assert_int_equal(replies("+OK\r"), 0);
    assert_int_equal(replies("+OK\r\n"), 1);
    assert_int_equal(replies("+a\nb\rc\r\r\n"), 1);
    assert_int_equal(replies("-ERR x\r\n:12\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n"), 6);
    assert_int_equal(replies("$4\r\n\r\n\r\n\r"), 0);
    assert_int_equal(replies("$4\r\n\r\n\r\n\r\n"), 1);
    assert_int_equal(replies("*2\r\n$1\r\na\r\n"), 0);
    assert_int_equal(replies("*2\r\n*2\r\n:1\r\n*0\r\n$1\r\na\r\n+OK\r\n"), 2);
}

void a_bulk_too_long_is_refused_by_its_header(void**) {
    const std::string fits = "$992\r\n";  // 6 bytes of header, 2 of CR LF
    assert_int_equal(taken(fits), fits.size());
    assert_int_equal(taken("$993\r\n"), 5);
    assert_int_equal(taken("$1001\r\n"), 4);
    assert_int_equal(taken("$99999999999999999999999999\r\n"), 4);
    assert_int_equal(taken("$18446744073709551615\r\n"), 4);
}

void an_array_too_long_is_refused_by_its_header(void**) {
    assert_int_equal(taken("*15\r\n"), 5);  // 15 * 64 + 5 = 965
    assert_int_equal(taken("*16\r\n"), 4);
    assert_int_equal(taken("*2147483647\r\n"), 4);
    // Nested arrays add up.
    assert_int_equal(taken("*7\r\n*7\r\n*1\r\n"), 12);
    assert_int_equal(taken("*7\r\n*7\r\n*2\r\n"), 11);
}

void a_line_without_end_is_refused_at_the_limit(void**) {
    assert_int_equal(taken("+" + std::string(2000, 'x')), limit);
    assert_int_equal(taken("$" + std::string(2000, '0')), limit);
}

void each_reply_starts_with_the_whole_limit(void**) {
    std::string wire;
    for (int i = 0; i < 100; ++i) {
        wire += "$900\r\n" + std::string(900, 'x') + "\r\n*10\r\n";
        for (int j = 0; j < 10; ++j) {
            wire += ":1\r\n";
        }
    }
    assert_int_equal(taken(wire), wire.size());
    assert_int_equal(replies(wire), 200);
}

void what_is_no_resp2_is_refused(void**) {
    assert_int_equal(taken("HTTP/1.1 400 Bad Request\r\n"), 0);
    assert_int_equal(taken("+OK\r\n\r\n"), 5);
    assert_int_equal(taken("%1\r\n"), 0);  // RESP3 is not asked for
    assert_int_equal(taken(">1\r\n"), 0);
    assert_int_equal(taken("$-2\r\n"), 4);
    assert_int_equal(taken("$--1\r\n"), 2);
    assert_int_equal(taken("$1-\r\n"), 2);
    assert_int_equal(taken("$-\r\n"), 3);
    assert_int_equal(taken("$\r\n"), 2);
    assert_int_equal(taken("$ 1\r\n"), 1);
    assert_int_equal(taken("*1x\r\n"), 2);
    assert_int_equal(taken("*1\rx"), 3);
    assert_int_equal(taken("*1\n"), 2);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_counted_when_whole),
        cmocka_unit_test(a_bulk_too_long_is_refused_by_its_header),
        cmocka_unit_test(an_array_too_long_is_refused_by_its_header),
        cmocka_unit_test(a_line_without_end_is_refused_at_the_limit),
        cmocka_unit_test(each_reply_starts_with_the_whole_limit),
        cmocka_unit_test(what_is_no_resp2_is_refused),
    };
    return cmocka_run_group_tests_name("redis reply limit", tests, nullptr, nullptr);
}
