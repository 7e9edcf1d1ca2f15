// The opening handshake's header lines.
//
//     RFC 6455 4.1    a backend's 101; keys of 16 bytes        real_101s..., anything_else..., keys_are...
//     RFC 6455 4.2.1  a client's request                       requests_without..., right_upgrades..., a_websocket_token...,
//                                                              upgrades_that_miss..., method_http_version...
//     RFC 6455 4.2.2  the version, and what is refused with it a_wrong_version... (4.4 too)
//     RFC 6455 9.1    extensions: websocket_extensions_test
#include "cmocka.hpp"

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "websocket/handshake.h"
#include "websocket_wire.hpp"

using namespace ws::websocket;

namespace {

constexpr auto plain = RequestKind::plain;
constexpr auto upgrade = RequestKind::upgrade;
constexpr auto malformed = RequestKind::malformed;
constexpr auto wrong_version = RequestKind::wrong_version;

// `all`, with some lines taken out by name and others added.
std::vector<Header> changed(std::span<const Header> all, std::initializer_list<std::string_view> without,
                            std::initializer_list<Header> with) {
    std::vector<Header> headers;
    for (const Header& header : all) {
        if (std::find(without.begin(), without.end(), header.name) == without.end()) { headers.push_back(header); }
    }
    headers.insert(headers.end(), with.begin(), with.end());
    return headers;
}

// The request of RFC 6455 1.2, and below the answer to it.
std::vector<Header> request(std::initializer_list<std::string_view> without = {},
                            std::initializer_list<Header> with = {}) {
    constexpr Header all[] = {{"Host", "server.example.com"},   {"Upgrade", "websocket"},
                              {"Connection", "Upgrade"},        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                              {"Origin", "http://example.com"}, {"Sec-WebSocket-Protocol", "chat, superchat"},
                              {"Sec-WebSocket-Version", "13"}};
    return changed(all, without, with);
}

RequestKind classify(bool get, bool http_1_1, bool has_body, std::span<const Header> headers) {
    OpeningRequest opening;
    for (const Header& header : headers) { opening.add(header); }
    return opening.kind(get, http_1_1, has_body);
}

bool valid(std::span<const Header> headers, std::string_view expected_accept) {
    OpeningResponse opening;
    for (const Header& header : headers) { opening.add(header); }
    return opening.valid(expected_accept);
}

struct Row {
    const char* name;
    std::vector<Header> headers;
    RequestKind kind;
};

void expect(std::span<const Row> rows) {
    for (const Row& row : rows) {
        const RequestKind got = classify(true, true, false, row.headers);
        if (got != row.kind) { fail_msg("%s: %d", row.name, static_cast<int>(got)); }
    }
}

void requests_without_a_websocket_upgrade_are_plain(void**) {
    const Row rows[] = {
        {"no headers", {}, plain},
        {"no Upgrade", request({"Upgrade"}), plain},
        {"h2c", request({"Upgrade"}, {{"Upgrade", "h2c"}}), plain},
        {"another token that begins alike", request({"Upgrade"}, {{"Upgrade", "websocket2"}}), plain},
        {"another token that ends alike", request({"Upgrade"}, {{"Upgrade", "my-websocket"}}), plain},
        {"empty Upgrade", request({"Upgrade"}, {{"Upgrade", ""}}), plain},
        {"blanks and commas", request({"Upgrade"}, {{"Upgrade", " , ,\t"}}), plain},
        {"two others", request({"Upgrade"}, {{"Upgrade", "h2c"}, {"Upgrade", "TLS/1.0"}}), plain},
    };
    expect(rows);
    assert_true(classify(false, false, true, rows[1].headers) == plain);
}

void right_upgrades_are_upgrades(void**) {
    const Row rows[] = {
        {"1.2 example", request(), upgrade},
        {"4.2.1 (3) any case", request({"Upgrade"}, {{"UPGRADE", "WebSocket"}}), upgrade},
        {"4.2.1 (4) any case", request({"Connection"}, {{"connection", "uPGRADE"}}), upgrade},
        {"4.2.1 (4) list, as Firefox sends", request({"Connection"}, {{"Connection", "keep-alive, Upgrade"}}), upgrade},
        {"4.2.1 (4) list without blanks", request({"Connection"}, {{"Connection", "Upgrade,keep-alive"}}), upgrade},
        {"4.2.1 (4) two lines", request({}, {{"Connection", "keep-alive"}}), upgrade},
        {"4.2.1 (4) two lines, the second counts",
         request({"Connection"}, {{"Connection", "a"}, {"Connection", "upgrade"}}), upgrade},
        {"RFC 9110 5.6.1.2 empty elements", request({"Connection"}, {{"Connection", ",, Upgrade ,"}}), upgrade},
        {"RFC 9110 5.5 blanks around values",
         request({"Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"},
                 {{"Upgrade", "\twebsocket "},
                  {"Sec-WebSocket-Version", " 13\t"},
                  {"sec-websocket-key", " dGhlIHNhbXBsZSBub25jZQ== "}}),
         upgrade},
    };
    expect(rows);
}

void a_websocket_token_in_any_other_dress_is_malformed(void**) {
    const Row rows[] = {
        {"list", request({"Upgrade"}, {{"Upgrade", "websocket, h2c"}}), malformed},
        {"list, last", request({"Upgrade"}, {{"Upgrade", "h2c,WebSocket"}}), malformed},
        {"twice in a list", request({"Upgrade"}, {{"Upgrade", "websocket, websocket"}}), malformed},
        {"twice in lines", request({}, {{"Upgrade", "websocket"}}), malformed},
        {"another line", request({}, {{"Upgrade", "h2c"}}), malformed},
        {"another line before", request({"Upgrade"}, {{"Upgrade", "h2c"}, {"Upgrade", "websocket"}}), malformed},
        {"an empty line", request({}, {{"Upgrade", ""}}), malformed},
        {"trailing comma", request({"Upgrade"}, {{"Upgrade", "websocket,"}}), malformed},
        {"with a version", request({"Upgrade"}, {{"Upgrade", "websocket/13"}}), malformed},
        {"with an empty version", request({"Upgrade"}, {{"Upgrade", "WebSocket/"}}), malformed},
        {"with a spaced version", request({"Upgrade"}, {{"Upgrade", "websocket /13"}}), malformed},
    };
    expect(rows);
}

void upgrades_that_miss_something_are_malformed(void**) {
    const Row rows[] = {
        {"no Connection", request({"Connection"}), malformed},
        {"Connection without upgrade", request({"Connection"}, {{"Connection", "keep-alive"}}), malformed},
        {"Connection with another token", request({"Connection"}, {{"Connection", "upgrades, up grade"}}), malformed},
        {"no key", request({"Sec-WebSocket-Key"}), malformed},
        {"two keys", request({}, {{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}}), malformed},
        {"empty key", request({"Sec-WebSocket-Key"}, {{"Sec-WebSocket-Key", ""}}), malformed},
        {"bad key before a wrong version",
         request({"Sec-WebSocket-Key", "Sec-WebSocket-Version"},
                 {{"Sec-WebSocket-Key", "x"}, {"Sec-WebSocket-Version", "8"}}),
         malformed},
    };
    expect(rows);
}

void method_http_version_and_body_must_be_right(void**) {
    const std::vector<Header> headers = request();
    assert_true(classify(true, true, false, headers) == upgrade);
    assert_true(classify(false, true, false, headers) == malformed);  // 4.1 (2)
    assert_true(classify(true, false, false, headers) == malformed);
    assert_true(classify(true, true, true, headers) == malformed);
}

void a_wrong_version_is_told_when_all_else_is_right(void**) {
    const Row rows[] = {
        {"4.2.1 (6) missing", request({"Sec-WebSocket-Version"}), wrong_version},
        {"4.4 older", request({"Sec-WebSocket-Version"}, {{"Sec-WebSocket-Version", "8"}}), wrong_version},
        {"777", request({"Sec-WebSocket-Version"}, {{"Sec-WebSocket-Version", "777"}}), wrong_version},
        {"leading zero", request({"Sec-WebSocket-Version"}, {{"Sec-WebSocket-Version", "013"}}), wrong_version},
        {"list", request({"Sec-WebSocket-Version"}, {{"Sec-WebSocket-Version", "13, 8"}}), wrong_version},
        {"empty", request({"Sec-WebSocket-Version"}, {{"Sec-WebSocket-Version", ""}}), wrong_version},
        {"twice the same", request({}, {{"Sec-WebSocket-Version", "13"}}), wrong_version},
        {"two", request({}, {{"Sec-WebSocket-Version", "8"}}), wrong_version},
    };
    expect(rows);
}

void keys_are_the_canonical_base64_of_16_bytes(void**) {
    const struct {
        const char* key;
        bool valid;
    } rows[] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", true},  // 1.2
        {"AQIDBAUGBwgJCgsMDQ4PEA==", true},  // 4.1
        {"AAAAAAAAAAAAAAAAAAAAAA==", true},
        {"/////////////////////w==", true},
        {"+++++++++++++++++++++g==", true},
        {"", false},
        {"==", false},
        {"AAAAAAAAAAAAAAAAAAAAAB==", false},  // bits that base64 throws away
        {"AAAAAAAAAAAAAAAAAAAAAI==", false},
        {"AAAAAAAAAAAAAAAAAAAAAP==", false},
        {"/////////////////////x==", false},
        {"AAAAAAAAAAAAAAAAAAAAAA=", false},
        {"AAAAAAAAAAAAAAAAAAAAAA", false},
        {"AAAAAAAAAAAAAAAAAAAAAAA=", false},  // 17 bytes
        {"AAAAAAAAAAAAAAAAAAAAAAAA", false},  // 18 bytes
        {"AAAAAAAAAAAAAAAAAAAA", false},      // 15 bytes
        {"AAAAAAAAAAAAAAAAAAAAAAAAAA==", false},
        {"AAAAAAAAAAAAAAAAAAAAA===", false},
        {"=AAAAAAAAAAAAAAAAAAAAA==", false},
        {"AAAAAAAAAA AAAAAAAAAAA==", false},
        {"-_AAAAAAAAAAAAAAAAAAAA==", false},  // the URL alphabet
        {"AAAAAAAAAAAAAAAAAAAAA\xc1==", false},
    };
    const wire::Guarded memory(64);
    for (const auto& row : rows) {
        const std::span<char> key = memory.put(row.key);
        if (valid_key({key.data(), key.size()}) != row.valid) { fail_msg("key '%s'", row.key); }
    }
}

void tokens_are_found_in_lists(void**) {
    const struct {
        const char* list;
        bool found;
    } rows[] = {
        {"upgrade", true},     {"UPGRADE", true},         {" upgrade\t", true},   {"a,upgrade", true},
        {"upgrade,a", true},   {"a , Upgrade , b", true}, {",,upgrade", true},    {"", false},
        {",", false},          {"upgrad", false},         {"upgraded", false},    {"xupgrade", false},
        {"up,grade", false},   {"upgrade a", false},      {"\"upgrade\"", false}, {"upgrade;q=1", false},
        {"a\vupgrade", false},
    };
    const wire::Guarded memory(64);
    for (const auto& row : rows) {
        const std::span<char> list = memory.put(row.list);
        if (has_token({list.data(), list.size()}, "upgrade") != row.found) { fail_msg("list '%s'", row.list); }
    }
}

constexpr std::string_view accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::vector<Header> response(std::initializer_list<std::string_view> without = {},
                             std::initializer_list<Header> with = {}) {
    constexpr Header all[] = {
        {"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", accept}, {"Server", "x"}};
    return changed(all, without, with);
}

void real_101s_are_valid(void**) {
    const std::vector<Header> rows[] = {
        response(),  // RFC 6455 1.2
        response({"Upgrade"}, {{"upgrade", "WebSocket"}}),
        response({"Connection"}, {{"connection", "keep-alive, upgrade"}}),
        response({}, {{"Connection", "keep-alive"}}),
        response({}, {{"Content-Length", "0"}}),
        response({}, {{"Sec-WebSocket-Protocol", "chat"}}),
    };
    for (const auto& headers : rows) { assert_true(valid(headers, accept)); }
}

void anything_else_after_a_101_is_not_valid(void**) {
    const struct {
        const char* name;
        std::vector<Header> headers;
    } rows[] = {
        {"no headers", {}},
        {"4.1 no Upgrade", response({"Upgrade"})},
        {"4.1 another Upgrade", response({"Upgrade"}, {{"Upgrade", "h2c"}})},
        {"list of upgrades", response({"Upgrade"}, {{"Upgrade", "websocket, h2c"}})},
        {"two Upgrades", response({}, {{"Upgrade", "websocket"}})},
        {"4.1 no Connection", response({"Connection"})},
        {"4.1 Connection without upgrade", response({"Connection"}, {{"Connection", "close"}})},
        {"4.1 no accept", response({"Sec-WebSocket-Accept"})},
        {"4.1 wrong accept",
         response({"Sec-WebSocket-Accept"}, {{"Sec-WebSocket-Accept", "AAAALMBiTxaQ9kYGzzhZRbK+xOo="}})},
        {"accept in another case",
         response({"Sec-WebSocket-Accept"}, {{"Sec-WebSocket-Accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="}})},
        {"two accepts", response({}, {{"Sec-WebSocket-Accept", accept}})},
        {"a body by chunks", response({}, {{"Transfer-Encoding", "chunked"}})},
        {"a body by length", response({}, {{"content-length", "5"}})},
        {"a length that is no number", response({}, {{"Content-Length", "0x0"}})},
    };
    for (const auto& row : rows) {
        if (valid(row.headers, accept)) { fail_msg("%s", row.name); }
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(requests_without_a_websocket_upgrade_are_plain),
        cmocka_unit_test(right_upgrades_are_upgrades),
        cmocka_unit_test(a_websocket_token_in_any_other_dress_is_malformed),
        cmocka_unit_test(upgrades_that_miss_something_are_malformed),
        cmocka_unit_test(method_http_version_and_body_must_be_right),
        cmocka_unit_test(a_wrong_version_is_told_when_all_else_is_right),
        cmocka_unit_test(keys_are_the_canonical_base64_of_16_bytes),
        cmocka_unit_test(tokens_are_found_in_lists),
        cmocka_unit_test(real_101s_are_valid),
        cmocka_unit_test(anything_else_after_a_101_is_not_valid),
    };
    return cmocka_run_group_tests_name("websocket handshake", tests, nullptr, nullptr);
}
