#include "redis/reply_limit.h"

#include "cmocka.hpp"

using ws::redis::ReplyLimit;

namespace {

constexpr std::size_t limit = 1000;

// What becomes of each reply: "ok", "large" or "broken", and "more" or "large more" for one that is not whole.
std::string judged(std::string_view wire, std::size_t piece) {
    ReplyLimit all{limit};
    std::string text;
    while (!wire.empty()) {
        std::string_view next = wire.substr(0, piece);
        wire.remove_prefix(next.size());
        while (!next.empty()) {
            next.remove_prefix(all.take(next));
            if (all.broken()) { return text + "broken"; }
            if (all.whole()) { text += all.too_large() ? "large " : "ok "; }
        }
    }
    if (!all.whole()) { text += all.too_large() ? "large more" : "more"; }
    return text;
}

// Whole and byte by byte, which must agree.
void assert_judged(std::string_view wire, std::string_view wanted,
                   std::source_location where = std::source_location::current()) {
    ws::test::assert_bytes_equal(judged(wire, wire.size()), wanted, where);
    ws::test::assert_bytes_equal(judged(wire, 1), wanted, where);
    ws::test::assert_bytes_equal(judged(wire, 7), wanted, where);
}

void the_end_of_each_reply_is_found(void**) {
    assert_judged("+OK\r", "more");
    assert_judged("+OK\r\n", "ok ");
    assert_judged("+a\nb\rc\r\r\n", "ok ");
    assert_judged("-ERR x\r\n:12\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n", "ok ok ok ok ok ok ");
    assert_judged("$4\r\n\r\n\r\n\r", "more");
    assert_judged("$4\r\n\r\n\r\n\r\n", "ok ");
    assert_judged("*2\r\n$1\r\na\r\n", "more");
    assert_judged("*2\r\n*2\r\n:1\r\n*0\r\n$1\r\na\r\n+OK\r\n", "ok ok ");
}

void a_bulk_too_long_is_known_from_its_header(void**) {
    assert_judged("$992\r\n", "more");  // with 6 bytes of header and CR LF at the end
    assert_judged("$993\r\n", "large more");
    assert_judged("$536870912\r\n", "large more");
}

void an_array_too_long_is_known_from_its_header(void**) {
    assert_judged("*15\r\n", "more");  // 15 * 64 + 5 = 965
    assert_judged("*16\r\n", "large more");
    assert_judged("*536870912\r\n", "large more");
    // Nested arrays add up.
    assert_judged("*7\r\n*7\r\n*1\r\n", "more");
    assert_judged("*7\r\n*7\r\n*2\r\n", "large more");
}

void a_line_too_long_is_known_at_the_limit(void**) {
    assert_judged("+" + std::string(999, 'x'), "more");
    assert_judged("+" + std::string(1000, 'x'), "large more");
    assert_judged("$" + std::string(1000, '0'), "large more");
}

void a_large_reply_is_followed_to_its_end_and_the_next_starts_anew(void**) {
    const std::string bulk = "$2000\r\n" + std::string(2000, '$') + "\r\n";
    assert_judged(bulk + "+OK\r\n" + bulk + "$1\r\na\r\n", "large ok large ok ");
    assert_judged("*2\r\n:1\r\n" + bulk + "+OK\r\n", "large ok ");
    std::string array = "*20\r\n";
    for (int i = 0; i < 20; ++i) { array += "*1\r\n:1\r\n"; }
    assert_judged(array + "+OK\r\n", "large ok ");
    const std::string fits = "$900\r\n" + std::string(900, 'x') + "\r\n";
    assert_judged(fits + fits + fits, "ok ok ok ");
}

void what_is_no_resp2_is_broken(void**) {
    assert_judged("HTTP/1.1 400 Bad Request\r\n", "broken");
    assert_judged("+OK\r\n\r\n", "ok broken");
    assert_judged("%1\r\n", "broken");  // RESP3 is not asked for
    assert_judged(">1\r\n", "broken");
    assert_judged("$-2\r\n", "broken");
    assert_judged("$--1\r\n", "broken");
    assert_judged("$1-\r\n", "broken");
    assert_judged("$-\r\n", "broken");
    assert_judged("$\r\n", "broken");
    assert_judged("$ 1\r\n", "broken");
    assert_judged("*1x\r\n", "broken");
    assert_judged("*1\rx", "broken");
    assert_judged("*1\n", "broken");
    assert_judged("$536870913\r\n", "broken");
    assert_judged("*2147483647\r\n", "broken");
    assert_judged("$99999999999999999999999999\r\n", "broken");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_each_reply_is_found),
        cmocka_unit_test(a_bulk_too_long_is_known_from_its_header),
        cmocka_unit_test(an_array_too_long_is_known_from_its_header),
        cmocka_unit_test(a_line_too_long_is_known_at_the_limit),
        cmocka_unit_test(a_large_reply_is_followed_to_its_end_and_the_next_starts_anew),
        cmocka_unit_test(what_is_no_resp2_is_broken),
    };
    return cmocka_run_group_tests_name("redis reply limit", tests, nullptr, nullptr);
}
