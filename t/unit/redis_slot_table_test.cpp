#include "redis/slot_table.h"

#include "cmocka.hpp"

#include "redis/redirection.h"

using namespace ws::redis;
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

std::string owner(const SlotTable& table, unsigned slot) {
    const Endpoint* node = table.owner(slot);
    return node == nullptr ? "nobody" : node->text();
}

const Endpoint asked{"10.0.0.9", 7000};

std::optional<SlotTable> parse(std::string_view wire) { return SlotTable::parse(*reply(wire), asked); }

constexpr std::string_view two_ranges =
    "*2\r\n"
    "*4\r\n:0\r\n:5460\r\n*4\r\n$8\r\n10.0.0.1\r\n:6379\r\n$2\r\nid\r\n*0\r\n*4\r\n$8\r\n10.0.0.7\r\n:6379\r\n$"
    "2\r\nid\r\n*0\r\n"
    "*3\r\n:5462\r\n:16383\r\n*3\r\n$3\r\n::1\r\n:6380\r\n$2\r\nid\r\n";

void ranges_belong_to_the_first_node_of_each(void**) {
    const auto table = parse(two_ranges);
    assert_true(table.has_value());
    assert_bytes_equal(owner(*table, 0), "10.0.0.1:6379");
    assert_bytes_equal(owner(*table, 5460), "10.0.0.1:6379");
    assert_bytes_equal(owner(*table, 5461), "nobody");
    assert_bytes_equal(owner(*table, 5462), "[::1]:6380");
    assert_bytes_equal(owner(*table, 16383), "[::1]:6380");
    assert_int_equal(table->nodes().size(), 2);
}

void a_node_without_an_address_is_the_one_that_was_asked(void**) {
    for (const char* host : {"$-1\r\n", "$0\r\n\r\n", "$1\r\n?\r\n"}) {
        const auto table = parse(std::string("*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n") + host + ":7001\r\n");
        assert_true(table.has_value());
        assert_bytes_equal(owner(*table, 0), "10.0.0.9:7001");
    }
}

void a_name_with_an_address_beside_it_is_the_address(void**) {
    const auto table =
        parse("*1\r\n*3\r\n:0\r\n:1\r\n*4\r\n$4\r\nhost\r\n:7001\r\n$2\r\nid\r\n*2\r\n$2\r\nip\r\n$8\r\n10.0.0.2\r\n");
    assert_bytes_equal(owner(table.value(), 1), "10.0.0.2:7001");
    assert_bytes_equal(owner(parse("*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$4\r\nhost\r\n:7001\r\n").value(), 1), "host:7001");
}

void what_is_no_table_is_none(void**) {
    for (const char* wire : {
             "*0\r\n",
             "*-1\r\n",
             "+OK\r\n",
             "-ERR This instance has cluster support disabled\r\n",
             "*1\r\n*0\r\n",
             "*1\r\n:1\r\n",
             "*1\r\n*2\r\n:0\r\n:1\r\n",
             "*1\r\n*3\r\n:0\r\n:1\r\n*0\r\n",
             "*1\r\n*3\r\n:0\r\n:1\r\n*-1\r\n",
             "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nh\r\n:1\r\n",
             "*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
             "*1\r\n*3\r\n:2\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
             "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:0\r\n",
             "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:65536\r\n",
             "*1\r\n*3\r\n$1\r\n0\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
         }) {
        assert_false(parse(wire).has_value());
    }
}

void a_slot_can_be_given_to_another_node(void**) {
    auto table = parse(two_ranges).value();
    const auto before = table;
    assert_true(table.same(before));
    table.assign(5, 5, {"10.0.0.3", 6379});
    assert_bytes_equal(owner(table, 4), "10.0.0.1:6379");
    assert_bytes_equal(owner(table, 5), "10.0.0.3:6379");
    assert_bytes_equal(owner(table, 6), "10.0.0.1:6379");
    assert_false(table.same(before));
    table.assign(5, 5, {"10.0.0.1", 6379});
    assert_true(table.same(before));
    table.assign(5461, 5461, {"10.0.0.1", 6379});
    assert_false(table.same(before));
}

std::string redirected(std::string_view wire) {
    const auto found = redirection(*reply(wire));
    return found ? (found->ask ? "ask " : "moved ") + std::to_string(found->slot) + ' ' + found->to.text() : "none";
}

void a_redirection_says_where_to_and_for_how_long(void**) {
    assert_bytes_equal(redirected("-MOVED 3999 127.0.0.1:6381\r\n"), "moved 3999 127.0.0.1:6381");
    assert_bytes_equal(redirected("-ASK 16383 127.0.0.1:6381\r\n"), "ask 16383 127.0.0.1:6381");
    assert_bytes_equal(redirected("-MOVED 1 ::1:6381\r\n"), "moved 1 [::1]:6381");
    assert_bytes_equal(redirected("-MOVED 1 host.example:6381\r\n"), "moved 1 host.example:6381");
    assert_bytes_equal(redirected("-MOVED 1 :6381\r\n"), "moved 1 :6381");
    for (const char* wire :
         {"-MOVED\r\n", "-MOVED \r\n", "-MOVED 1\r\n", "-MOVED 1 h\r\n", "-MOVED 1 h:\r\n", "-MOVED 1 h:0\r\n",
          "-MOVED 1 h:65536\r\n", "-MOVED 16384 h:1\r\n", "-MOVED -1 h:1\r\n", "-MOVED x h:1\r\n", "-MOVED 1:1 h\r\n",
          "-MOVEDX 1 h:1\r\n", "-ERR MOVED 1 h:1\r\n", "+MOVED 1 h:1\r\n"}) {
        assert_bytes_equal(redirected(wire), "none");
    }
}

std::string master(std::string_view wire) {
    const auto found = master_address(*reply(wire));
    return found ? found->text() : "none";
}

void a_master_is_an_address_and_a_port(void**) {
    assert_bytes_equal(master("*2\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n"), "10.0.0.1:6379");
    assert_bytes_equal(master("*2\r\n$3\r\n::1\r\n$1\r\n1\r\n"), "[::1]:1");
    for (const char* wire :
         {"*-1\r\n", "*0\r\n", "*1\r\n$1\r\nh\r\n", "*2\r\n$0\r\n\r\n$1\r\n1\r\n", "*2\r\n$1\r\nh\r\n:1\r\n",
          "*2\r\n$1\r\nh\r\n$1\r\n0\r\n", "*2\r\n$1\r\nh\r\n$5\r\n65536\r\n", "*2\r\n$1\r\nh\r\n$2\r\n1x\r\n",
          "-NOPERM\r\n", "$1\r\nh\r\n"}) {
        assert_bytes_equal(master(wire), "none");
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(ranges_belong_to_the_first_node_of_each),
        cmocka_unit_test(a_node_without_an_address_is_the_one_that_was_asked),
        cmocka_unit_test(a_name_with_an_address_beside_it_is_the_address),
        cmocka_unit_test(what_is_no_table_is_none),
        cmocka_unit_test(a_slot_can_be_given_to_another_node),
        cmocka_unit_test(a_redirection_says_where_to_and_for_how_long),
        cmocka_unit_test(a_master_is_an_address_and_a_port),
    };
    return cmocka_run_group_tests_name("redis slot table", tests, nullptr, nullptr);
}
