#include "redis/slot.h"

#include "cmocka.hpp"

#include <array>
#include <string>

using namespace ws::redis;
using namespace std::string_view_literals;

namespace {

void crc16_has_the_published_check_value(void**) {
    // Redis Cluster specification, appendix A.
    assert_int_equal(crc16("123456789"), 0x31C3);
    assert_int_equal(crc16(""), 0);
    assert_int_equal(crc16("\xff\0\x80"sv), crc16(std::string("\xff\0\x80", 3)));
}

void a_key_has_the_slot_that_redis_says(void**) {
    // CLUSTER KEYSLOT, of its documentation and of Redis 7.0.
    assert_int_equal(key_slot("somekey"), 11058);
    assert_int_equal(key_slot("foo{hash_tag}"), 2515);
    assert_int_equal(key_slot("bar{hash_tag}"), 2515);
    assert_int_equal(key_slot("foo"), 12182);
    assert_int_equal(key_slot("123456789"), 12739);
    assert_int_equal(key_slot(""), 0);
}

void only_the_first_hash_tag_counts_unless_it_is_empty(void**) {
    assert_int_equal(key_slot("{user1000}.following"), key_slot("user1000"));
    assert_int_equal(key_slot("{user1000}.followers"), key_slot("user1000"));
    assert_int_equal(key_slot("foo{}{bar}"), crc16("foo{}{bar}") % slot_count);
    assert_int_equal(key_slot("foo{{bar}}zap"), key_slot("{bar"));
    assert_int_equal(key_slot("foo{bar}{zap}"), key_slot("bar"));
    assert_int_equal(key_slot("foo{bar"), crc16("foo{bar") % slot_count);
    assert_int_equal(key_slot("foo}bar{"), crc16("foo}bar{") % slot_count);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(crc16_has_the_published_check_value),
        cmocka_unit_test(a_key_has_the_slot_that_redis_says),
        cmocka_unit_test(only_the_first_hash_tag_counts_unless_it_is_empty),
    };
    return cmocka_run_group_tests_name("redis slot", tests, nullptr, nullptr);
}
