// Negotiation of permessage-deflate.
//
//     RFC 6455 9.1    grammar, quoted values, several lines, what breaks it     right_headers..., malformed_headers...
//     RFC 6455 4.2.2  nothing is answered that was not offered                  other_extensions_are_ignored
//     RFC 7692 5      several offers, the first that can be kept                the_first_offer_that_can_be_kept...
//     RFC 7692 7.1    unknown, double, wrong parameters decline their offer     offers_are_declined_for...
//     RFC 7692 7.1.1  context takeover                                          context_takeover...
//     RFC 7692 7.1.2  windows                                                   windows..., the_policy...
#include "websocket/extensions.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cmocka.hpp"
#include "websocket_wire.hpp"

using namespace ws::websocket;
using ws::test::assert_bytes_equal;

namespace {

using Lines = std::vector<std::string>;

// Each line ends at a guarded page.
Negotiation negotiate(const Lines& lines, const DeflatePolicy& policy = {}) {
    std::vector<std::unique_ptr<wire::Guarded>> memory;
    std::vector<std::string_view> views;
    for (const std::string& line : lines) {
        memory.push_back(std::make_unique<wire::Guarded>(line.size()));
        const std::span<char> copy = memory.back()->put(line);
        views.emplace_back(copy.data(), copy.size());
    }
    return negotiate_extensions(views, policy);
}

void expect(const Lines& lines, const std::string& response, const DeflatePolicy& policy = {}) {
    const Negotiation got = negotiate(lines, policy);
    if (got.malformed || got.deflate.has_value() != !response.empty() || got.response != response) {
        fail_msg("%s: malformed %d, '%s'", lines.front().c_str(), got.malformed, got.response.c_str());
    }
}

void expect_malformed(const Lines& lines) {
    const Negotiation got = negotiate(lines);
    if (!got.malformed || got.deflate || !got.response.empty()) {
        fail_msg("%s: not malformed, '%s'", lines.front().c_str(), got.response.c_str());
    }
}

void without_the_header_nothing_is_agreed(void**) {
    const Negotiation got = negotiate({});
    assert_false(got.malformed);
    assert_false(got.deflate.has_value());
    assert_bytes_equal(got.response, "");
}

void the_plain_offer_is_accepted_with_all_defaults(void**) {
    const Negotiation got = negotiate({"permessage-deflate"});
    assert_bytes_equal(got.response, "permessage-deflate");
    assert_true(got.deflate == DeflateParameters{});
    assert_int_equal(got.deflate->server_window_bits, 15);
    assert_true(got.deflate->client_context_takeover);
}

void real_clients_get_what_they_know(void**) {
    expect({"permessage-deflate; client_max_window_bits"}, "permessage-deflate");           // Chromium, npm ws
    expect({"permessage-deflate"}, "permessage-deflate");                                   // Firefox
    expect({"permessage-deflate; server_no_context_takeover; client_no_context_takeover"},  // Go's gorilla
           "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    expect({"x-webkit-deflate-frame"}, "");
}

void right_headers_are_understood_in_any_dress(void**) {
    const std::string bits = "permessage-deflate; server_max_window_bits=10";
    expect({"permessage-deflate;server_max_window_bits=10"}, bits);
    expect({"\t permessage-deflate\t;  server_max_window_bits = 10  "}, bits);
    expect({"permessage-deflate; server_max_window_bits=\"10\""}, bits);
    expect({"permessage-deflate; server_max_window_bits=\"1\\0\""}, bits);
    expect({"permessage-deflate; server_max_window_bits = \"10\" , x"}, bits);
    expect({",, permessage-deflate; server_max_window_bits=10 ,\t,"}, bits);
    expect({"x", "permessage-deflate; server_max_window_bits=10"}, bits);
    expect({"", "permessage-deflate; server_max_window_bits=10"}, bits);
}

void malformed_headers_agree_on_nothing(void**) {
    for (const char* const line : {"",
                                   " ",
                                   ",",
                                   ", ,\t",
                                   ";",
                                   "=",
                                   "permessage-deflate;",
                                   "permessage-deflate; ;server_no_context_takeover",
                                   "permessage-deflate server_no_context_takeover",
                                   "; server_no_context_takeover",
                                   "permessage-deflate; server_max_window_bits=",
                                   "permessage-deflate; server_max_window_bits==10",
                                   "permessage-deflate; server_max_window_bits= , x",
                                   "permessage-deflate; =10",
                                   "permessage-deflate; server_max_window_bits=10 10",
                                   "permessage-deflate=10",
                                   "\"permessage-deflate\"",
                                   "permessage-deflate; \"server_max_window_bits\"=10",
                                   "permessage-deflate; server_max_window_bits=\"10",
                                   "permessage-deflate; server_max_window_bits=\"",
                                   "permessage-deflate; server_max_window_bits=\"\"",
                                   "permessage-deflate; server_max_window_bits=\"10\\",
                                   "permessage-deflate; server_max_window_bits=\"10\\\"",
                                   "permessage-deflate; server_max_window_bits=\" 10\"",
                                   "permessage-deflate; server_max_window_bits=\"10\"0",
                                   "permessage-deflate; server_max_window_bits=\"1,0\"",
                                   "permessage-deflate; server_max_window_bits='10;'@",
                                   "permessage-deflate, (comment)",
                                   "permessage-deflate; a/b",
                                   "permessage-deflate\v",
                                   "permessage-d\xc3\xa9"}) {
        expect_malformed({line});
        expect_malformed({"permessage-deflate; server_max_window_bits=10, x", std::string(line) + ",[]"});
    }
    // What was acceptable before or after does not count any more.
    expect_malformed({"permessage-deflate, x;"});
    expect_malformed({"permessage-deflate", "x;"});
    expect_malformed({"x;", "permessage-deflate"});
    expect_malformed({std::string("permessage-deflate\0", 19)});
    expect_malformed({"permessage-deflate; a=\"b", "c\""});  // a value does not go on in the next line
}

void other_extensions_are_ignored(void**) {
    expect({"x"}, "");
    expect({"x; a; a=b; a=\"c\", y;server_max_window_bits=99"}, "");
    expect({"permessage-deflate2"}, "");
    expect({"Permessage-Deflate"}, "");
    expect({"permessage-bzip2; a=1, permessage-deflate"}, "permessage-deflate");
    expect({"permessage-deflate, x; y=z"}, "permessage-deflate");
}

void an_answer_has_extensions_that_were_offered(void**) {
    using Views = std::vector<std::string_view>;
    const auto valid = [](const Views& answer, const Views& offer) {
        return ws::websocket::valid_extensions_answer(answer, offer);
    };
    const Views offer{"a; p; q=\"x\", b", "c"};
    for (const Views& answer : {Views{}, Views{"a"}, Views{"b; p=1", "c"}, Views{"c,,a"}, Views{"a, a"}}) {
        assert_true(valid(answer, offer));
    }
    for (const Views& answer : {Views{"d"}, Views{"a, d"}, Views{"a", "d"}, Views{"A"}, Views{"p"}, Views{""},
                                Views{","}, Views{"a;"}, Views{"a b"}, Views{"a; p=\""}}) {
        assert_false(valid(answer, offer));
    }
    assert_true(valid({}, {}));
    assert_false(valid({"a"}, {}));
    assert_false(valid({"a"}, {"a;"}));
}

void offers_are_declined_for_unknown_double_and_wrong_parameters(void**) {
    for (const char* const parameters : {"unknown",
                                         "unknown=1",
                                         "Server_No_Context_Takeover",
                                         "server_no_context_takeover=1",
                                         "server_no_context_takeover=true",
                                         "client_no_context_takeover=\"1\"",
                                         "server_no_context_takeover; server_no_context_takeover",
                                         "client_no_context_takeover; client_no_context_takeover",
                                         "server_max_window_bits",
                                         "server_max_window_bits=7",
                                         "server_max_window_bits=16",
                                         "server_max_window_bits=0",
                                         "server_max_window_bits=08",
                                         "server_max_window_bits=010",
                                         "server_max_window_bits=+9",
                                         "server_max_window_bits=-9",
                                         "server_max_window_bits=9.0",
                                         "server_max_window_bits=1e1",
                                         "server_max_window_bits=1",
                                         "server_max_window_bits=19",
                                         "server_max_window_bits=100",
                                         "server_max_window_bits=18446744073709551626",
                                         "server_max_window_bits=a",
                                         "server_max_window_bits=\"16\"",
                                         "server_max_window_bits=10; server_max_window_bits=10",
                                         "server_max_window_bits=10; server_max_window_bits=11",
                                         "client_max_window_bits=7",
                                         "client_max_window_bits=16",
                                         "client_max_window_bits=08",
                                         "client_max_window_bits=x",
                                         "client_max_window_bits; client_max_window_bits",
                                         "client_max_window_bits; client_max_window_bits=15",
                                         "client_max_window_bits=15; client_max_window_bits"}) {
        const std::string declined = std::string("permessage-deflate; ") + parameters;
        expect({declined}, "");
        expect({declined + "; client_no_context_takeover"}, "");
        expect({declined + ", permessage-deflate"}, "permessage-deflate");
        expect({declined, "permessage-deflate; server_max_window_bits=12"},
               "permessage-deflate; server_max_window_bits=12");
    }
}

// RFC 7692 5 and 7.1.3 (the example of a fallback).
void the_first_offer_that_can_be_kept_is_accepted(void**) {
    expect({"permessage-deflate; server_max_window_bits=10, permessage-deflate"},
           "permessage-deflate; server_max_window_bits=10");
    expect({"permessage-deflate, permessage-deflate; server_max_window_bits=10"}, "permessage-deflate");
    expect({"permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate; "
            "client_max_window_bits"},
           "permessage-deflate; server_max_window_bits=10");
}

// 7.1.1.1: the server must not take over when asked not to, and says so. 7.1.1.2: the client's is a hint, confirmed.
void context_takeover_ends_where_either_side_says_so(void**) {
    const std::string server = "permessage-deflate; server_no_context_takeover";
    const std::string client = "permessage-deflate; client_no_context_takeover";
    expect({server}, server);
    expect({client}, client);
    expect({client + "; server_no_context_takeover"}, server + "; client_no_context_takeover");
    const DeflatePolicy policy{.server_context_takeover = false, .client_context_takeover = false};
    expect({"permessage-deflate"}, server + "; client_no_context_takeover", policy);
    expect({server}, server + "; client_no_context_takeover", policy);

    assert_false(negotiate({server}).deflate->server_context_takeover);
    assert_true(negotiate({server}).deflate->client_context_takeover);
    assert_false(negotiate({client}).deflate->client_context_takeover);
    assert_true(negotiate({client}).deflate->server_context_takeover);
}

// 7.1.2.1: accepted by an answer with the same or a smaller value.
void windows_are_never_larger_than_offered(void**) {
    for (int offered = 8; offered <= 15; ++offered) {
        for (int allowed = 8; allowed <= 15; ++allowed) {
            const DeflatePolicy policy{.server_window_bits = static_cast<std::uint8_t>(allowed),
                                       .client_window_bits = static_cast<std::uint8_t>(allowed)};
            const int agreed = std::min(offered, allowed);
            const std::string bits = std::to_string(offered);
            const Negotiation got = negotiate(
                {"permessage-deflate; server_max_window_bits=" + bits + "; client_max_window_bits=" + bits}, policy);
            const std::string client = agreed == 15 ? "" : "; client_max_window_bits=" + std::to_string(agreed);
            assert_bytes_equal(got.response,
                               "permessage-deflate; server_max_window_bits=" + std::to_string(agreed) + client);
            assert_int_equal(got.deflate->server_window_bits, agreed);
            assert_int_equal(got.deflate->client_window_bits, agreed);
        }
    }
}

void the_policy_limits_windows_that_were_not_offered(void**) {
    const DeflatePolicy server{.server_window_bits = 10};
    expect({"permessage-deflate"}, "permessage-deflate; server_max_window_bits=10", server);
    assert_int_equal(negotiate({"permessage-deflate"}, server).deflate->server_window_bits, 10);

    const DeflatePolicy client{.client_window_bits = 10};
    expect({"permessage-deflate; client_max_window_bits"}, "permessage-deflate; client_max_window_bits=10", client);
    expect({"permessage-deflate; client_max_window_bits=\"9\""}, "permessage-deflate; client_max_window_bits=9",
           client);
}

// 7.1.2.2: client_max_window_bits must not be in the answer when it was not offered.
void a_client_that_cannot_be_limited_is_declined_when_the_policy_limits_it(void**) {
    const DeflatePolicy policy{.client_window_bits = 14};
    expect({"permessage-deflate"}, "", policy);
    expect({"permessage-deflate, permessage-deflate; client_max_window_bits"},
           "permessage-deflate; client_max_window_bits=14", policy);
}

void a_thousand_offers_and_parameters_are_read(void**) {
    std::string line = "permessage-deflate";
    for (int i = 0; i < 1000; ++i) { line += "; unknown" + std::to_string(i) + "=\"" + std::to_string(i) + "\""; }
    for (int i = 0; i < 1000; ++i) { line += ", permessage-deflate; server_max_window_bits=7"; }
    expect({line}, "");
    expect({line + ",permessage-deflate"}, "permessage-deflate");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(without_the_header_nothing_is_agreed),
        cmocka_unit_test(the_plain_offer_is_accepted_with_all_defaults),
        cmocka_unit_test(real_clients_get_what_they_know),
        cmocka_unit_test(right_headers_are_understood_in_any_dress),
        cmocka_unit_test(malformed_headers_agree_on_nothing),
        cmocka_unit_test(other_extensions_are_ignored),
        cmocka_unit_test(an_answer_has_extensions_that_were_offered),
        cmocka_unit_test(offers_are_declined_for_unknown_double_and_wrong_parameters),
        cmocka_unit_test(the_first_offer_that_can_be_kept_is_accepted),
        cmocka_unit_test(context_takeover_ends_where_either_side_says_so),
        cmocka_unit_test(windows_are_never_larger_than_offered),
        cmocka_unit_test(the_policy_limits_windows_that_were_not_offered),
        cmocka_unit_test(a_client_that_cannot_be_limited_is_declined_when_the_policy_limits_it),
        cmocka_unit_test(a_thousand_offers_and_parameters_are_read),
    };
    return cmocka_run_group_tests_name("websocket extensions", tests, nullptr, nullptr);
}
