#include "redis/reply.h"

#include "cmocka.hpp"

using namespace ws::redis;
using namespace std::string_view_literals;
using ws::test::assert_bytes_equal;

namespace {

// Parsed by hiredis, as in the product.
ReplyPtr reply(std::string_view wire) {
    redisReader* reader = redisReaderCreate();
    void* parsed = nullptr;
    redisReaderFeed(reader, wire.data(), wire.size());
    redisReaderGetReply(reader, &parsed);
    redisReaderFree(reader);
    return ReplyPtr{static_cast<redisReply*>(parsed)};
}

void only_a_bulk_string_has_a_string_value(void**) {
    assert_bytes_equal(string_value(*reply("$5\r\na\0\r\nb\r\n"sv)).value(), "a\0\r\nb"sv);
    assert_bytes_equal(string_value(*reply("$0\r\n\r\n")).value(), "");
    for (const char* other : {"+OK\r\n", "-ERR x\r\n", ":1\r\n", "$-1\r\n", "*-1\r\n", "*1\r\n$1\r\na\r\n"}) {
        assert_false(string_value(*reply(other)).has_value());
    }
}

void an_error_shows_its_text_and_its_code(void**) {
    const auto wrong = reply("-WRONGTYPE Operation against a key\r\n");
    assert_true(is_error(*wrong));
    assert_bytes_equal(error_text(*wrong), "WRONGTYPE Operation against a key");
    assert_bytes_equal(error_code(*wrong), "WRONGTYPE");
    assert_bytes_equal(error_code(*reply("-ERR\r\n")), "ERR");
    assert_bytes_equal(error_code(*reply("-secret42 x\r\n")), "");
    assert_bytes_equal(error_code(*reply("-\r\n")), "");
    assert_bytes_equal(error_code(*reply("+OK\r\n")), "");
    assert_bytes_equal(error_text(*reply("$3\r\nERR\r\n")), "");
}

void nil_is_told_from_empty(void**) {
    assert_true(is_nil(*reply("$-1\r\n")));
    assert_true(is_nil(*reply("*-1\r\n")));
    assert_false(is_nil(*reply("$0\r\n\r\n")));
    assert_false(is_nil(*reply("*0\r\n")));
}

void a_hash_is_pairs_in_the_order_of_the_reply(void**) {
    const auto hash = reply("*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$0\r\n\r\n");
    const auto fields = pairs(*hash);
    assert_true(fields.has_value());
    assert_int_equal(fields->size(), 2);
    assert_bytes_equal((*fields)[0].first, "a");
    assert_bytes_equal((*fields)[0].second, "1");
    assert_bytes_equal((*fields)[1].first, "b");
    assert_bytes_equal((*fields)[1].second, "");

    const auto none = pairs(*reply("*0\r\n"));
    assert_true(none.has_value());
    assert_true(none->empty());
}

void what_is_no_hash_has_no_pairs(void**) {
    for (const char* other : {"*1\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n:1\r\n", "*2\r\n$-1\r\n$1\r\na\r\n", "*-1\r\n",
                              "$1\r\na\r\n", "-ERR x\r\n"}) {
        assert_false(pairs(*reply(other)).has_value());
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(only_a_bulk_string_has_a_string_value),
        cmocka_unit_test(an_error_shows_its_text_and_its_code),
        cmocka_unit_test(nil_is_told_from_empty),
        cmocka_unit_test(a_hash_is_pairs_in_the_order_of_the_reply),
        cmocka_unit_test(what_is_no_hash_has_no_pairs),
    };
    return cmocka_run_group_tests_name("redis reply", tests, nullptr, nullptr);
}
