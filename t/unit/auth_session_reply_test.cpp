#include "auth/session_reply.h"

#include "cmocka.hpp"
#include "redis/reply.h"

#include <string>
#include <vector>

namespace {

using namespace ws;
using namespace ws::auth;

// The session of a reply, as bytes of RESP2; "denied", "unavailable" or "invalid" if it has none.
std::string session(std::string_view bytes, std::vector<std::string> command = {"GET", "k"}) {
    redisReader* reader = redisReaderCreate();
    void* got = nullptr;
    assert_int_equal(redisReaderFeed(reader, bytes.data(), bytes.size()), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &got), REDIS_OK);
    redisReaderFree(reader);
    assert_non_null(got);
    const redis::ReplyPtr reply(static_cast<redisReply*>(got));
    std::string made;
    const Verdict verdict = judge({redis::Outcome::Status::reply, reply.get()}, command, made);
    switch (verdict.status) {
        case WS_AUTH_ALLOWED: return std::string(view(verdict.session));
        case WS_AUTH_DENIED: return "denied";
        case WS_AUTH_UNAVAILABLE: return "unavailable";
        default: return "invalid";
    }
}

void a_string_is_the_text_of_a_session(void**) {
    assert_string_equal(session("$7\r\n{\"a\":1}\r\n").c_str(), R"({"a":1})");
    assert_string_equal(session("$7\r\n{\"a\":1}\r\n", {"EVALSHA", "x", "1", "k"}).c_str(), R"({"a":1})");
    assert_string_equal(session("$0\r\n\r\n").c_str(), "");  // which is no JSON: for the context to find out
}

void nil_and_nothing_are_no_session(void**) {
    assert_string_equal(session("$-1\r\n").c_str(), "denied");
    assert_string_equal(session("*-1\r\n").c_str(), "denied");
    assert_string_equal(session("*0\r\n", {"HGETALL", "k"}).c_str(), "denied");
    assert_string_equal(session("*0\r\n", {"FCALL", "f", "1", "k"}).c_str(), "denied");
}

void an_array_is_names_and_values(void**) {
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"HGETALL", "k"}, {"EVAL", "x", "1", "k"}}) {
        assert_string_equal(session("*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$0\r\n\r\n", command).c_str(),
                            R"({"a":"1","b":""})");
        assert_string_equal(session("*1\r\n$1\r\na\r\n", command).c_str(), "invalid");
        assert_string_equal(session("*2\r\n$1\r\na\r\n$-1\r\n", command).c_str(), "invalid");
        assert_string_equal(session("*2\r\n$1\r\na\r\n:1\r\n", command).c_str(), "invalid");
        assert_string_equal(session("*2\r\n$1\r\na\r\n*0\r\n", command).c_str(), "invalid");
        assert_string_equal(session("*2\r\n$1\r\na\r\n$1\r\n\xff\r\n", command).c_str(), "invalid");
    }
}

void hmget_answers_values_for_the_names_that_were_asked_for(void**) {
    const std::vector<std::string> command{"HMGET", "k", "a", "b"};
    assert_string_equal(session("*2\r\n$1\r\n1\r\n$1\r\n2\r\n", command).c_str(), R"({"a":"1","b":"2"})");
    assert_string_equal(session("*2\r\n$-1\r\n$1\r\n2\r\n", command).c_str(), R"({"b":"2"})");
    assert_string_equal(session("*2\r\n$-1\r\n$-1\r\n", command).c_str(), "denied");
    assert_string_equal(session("*1\r\n$1\r\n1\r\n", command).c_str(), "invalid");
    assert_string_equal(session("*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n", command).c_str(), "invalid");
    assert_string_equal(session("*2\r\n:1\r\n$1\r\n2\r\n", command).c_str(), "invalid");
    assert_string_equal(session("*2\r\n$1\r\n1\r\n$1\r\n2\r\n", {"HMGET", "k"}).c_str(), "invalid");
}

void anything_else_is_no_session(void**) {
    for (const std::string_view reply : {":1\r\n", ":0\r\n", "+OK\r\n"}) {
        assert_string_equal(session(reply).c_str(), "invalid");
        assert_string_equal(session(reply, {"HMGET", "k", "a"}).c_str(), "invalid");
    }
}

void an_error_is_a_fault_of_the_data_or_of_the_server(void**) {
    for (const std::string_view reply : {"-WRONGTYPE x\r\n", "-TOOLARGE x\r\n"}) {
        assert_string_equal(session(reply).c_str(), "invalid");
    }
    for (const std::string_view reply : {"-LOADING x\r\n", "-NOSCRIPT x\r\n", "-ERR x\r\n", "-NOPERM x\r\n", "-\r\n"}) {
        assert_string_equal(session(reply).c_str(), "unavailable");
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_string_is_the_text_of_a_session),
        cmocka_unit_test(nil_and_nothing_are_no_session),
        cmocka_unit_test(an_array_is_names_and_values),
        cmocka_unit_test(hmget_answers_values_for_the_names_that_were_asked_for),
        cmocka_unit_test(anything_else_is_no_session),
        cmocka_unit_test(an_error_is_a_fault_of_the_data_or_of_the_server),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
