#include "redis/command_keys.h"

#include "cmocka.hpp"

#include <initializer_list>
#include <string>

namespace {

using namespace ws::redis;

std::string keys(std::initializer_list<std::string_view> words) {
    std::string text;
    for (const std::string_view key : command_keys(std::span(words.begin(), words.size()))) {
        text.append(text.empty() ? "" : " ").append(key);
    }
    return text;
}

void a_command_says_which_keys_it_has(void**) {
    assert_string_equal(keys({"GET", "k"}).c_str(), "k");
    assert_string_equal(keys({"HMGET", "k", "a", "b"}).c_str(), "k");
    assert_string_equal(keys({"JSON.GET", "k", "$"}).c_str(), "k");
    assert_string_equal(keys({"EVAL", "return 1", "1", "k", "arg"}).c_str(), "k");
    assert_string_equal(keys({"evalsha", "abc", "2", "k", "l", "arg"}).c_str(), "k l");
    assert_string_equal(keys({"FCALL", "f", "1", "k"}).c_str(), "k");
    assert_string_equal(keys({"FCALL_RO", "f", "1", "k"}).c_str(), "k");
}

void a_command_may_have_none(void**) {
    assert_string_equal(keys({"EVAL", "return 1", "0", "arg"}).c_str(), "");
    assert_string_equal(keys({"EVAL", "return 1", "1"}).c_str(), "");
    assert_string_equal(keys({"EVAL", "return 1", "9", "k"}).c_str(), "k");
    assert_string_equal(keys({"EVAL", "return 1", "x", "k"}).c_str(), "");
    assert_string_equal(keys({"EVAL", "return 1", "-1", "k"}).c_str(), "");
    assert_string_equal(keys({"EVAL", "return 1"}).c_str(), "");
    assert_string_equal(keys({"PING"}).c_str(), "");
    assert_string_equal(keys({}).c_str(), "");
}

void only_what_is_known_reads_nothing_but_its_keys(void**) {
    const auto reads_only = [](std::string_view verb) { return reads_its_keys_only(std::span(&verb, 1)); };
    for (const std::string_view verb : {"GET", "get", "HGETALL", "HMGET", "HGET"}) { assert_true(reads_only(verb)); }
    for (const std::string_view verb : {"EVAL", "EVALSHA_RO", "FCALL", "JSON.GET", "GETEX", "", "GE"}) {
        assert_false(reads_only(verb));
    }
    assert_false(reads_its_keys_only({}));
}

void what_is_no_lookup_is_known(void**) {
    for (const std::string_view verb : {"SUBSCRIBE", "multi", "BLPOP", "DEL", "Select"}) {
        assert_false(may_look_up(verb));
    }
    for (const std::string_view verb : {"GET", "HGETALL", "JSON.GET", "EVALSHA", "FCALL"}) {
        assert_true(may_look_up(verb));
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_command_says_which_keys_it_has),
        cmocka_unit_test(a_command_may_have_none),
        cmocka_unit_test(only_what_is_known_reads_nothing_but_its_keys),
        cmocka_unit_test(what_is_no_lookup_is_known),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
