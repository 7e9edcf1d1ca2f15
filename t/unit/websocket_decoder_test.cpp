// Messages, decoded without compression. RFC 6455 5.1 and 5.2 (what breaks a header: websocket_frame_test has all of it),
// 5.4 (fragments), 5.5 (control frames in between), 5.5.1 and 7.4 (close frames), 5.6 and 8.1 (UTF-8), 6.2 (receiving),
// 7.1.7 (failing), 10.4 (limits). With compression: websocket_compressed_test.
#include "websocket/decoder.h"

#include <string>

#include "cmocka.hpp"
#include "websocket_events.hpp"
#include "websocket_wire.hpp"

using namespace ws::websocket;
using wire::client;
using wire::describe;
using wire::events;
using wire::hex;
using wire::server;
using ws::test::assert_bytes_equal;

namespace {

constexpr Limits limits{.max_message = 70000, .max_fragments = 5};

void expect(const char* name, Sender sender, const std::string& bytes, const std::string& expected) {
    wire::each_way(bytes, [&](std::size_t piece) {
        Decoder decoder(sender, limits);
        const std::string got = events(decoder, bytes, piece);
        if (got != expected) {
            print_error("%s: in pieces of %zu\n", name, piece);
            assert_bytes_equal(got, expected);
        }
    });
}

void expect_client(const char* name, const std::string& bytes, const std::string& expected) {
    expect(name, Sender::client, bytes, expected);
}

void rfc_5_7_examples_are_decoded(void**) {
    expect("unmasked text", Sender::server, hex("81 05 48 65 6c 6c 6f"), "[text Hello]");
    expect("masked text", Sender::client, hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), "[text Hello]");
    expect("fragmented text", Sender::server, hex("01 03 48 65 6c 80 02 6c 6f"), "[text Hello]");
    expect("ping", Sender::server, hex("89 05 48 65 6c 6c 6f"), "[ping Hello]");
    expect("masked pong", Sender::client, hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"), "[pong Hello]");
    for (const std::size_t n : {256u, 65536u}) {
        const std::string payload(n, '\xfe');
        expect("binary", Sender::server, server(0x82, payload), "[binary " + payload + "]");
    }
}

void messages_of_every_length_encoding_arrive_whole(void**) {
    for (const std::size_t n : {0u, 1u, 3u, 4u, 125u, 126u, 127u, 65535u, 65536u, 70000u}) {
        std::string payload(n, '\0');
        for (std::size_t i = 0; i < n; ++i) { payload[i] = static_cast<char>('a' + i % 23); }
        expect_client("text", client(0x81, payload), "[text " + payload + "]");
        expect_client("two binaries", client(0x82, payload) + client(0x82, "x"), "[binary " + payload + "][binary x]");
    }
}

void fragments_become_one_message_of_the_first_ones_type(void**) {
    expect_client("5.4 three fragments", client(0x02, "a") + client(0x00, "b") + client(0x80, "c"), "[binary abc]");
    expect_client("5.4 empty fragments", client(0x01, "") + client(0x00, "") + client(0x80, ""), "[text ]");
    expect_client("5.4 all in the last", client(0x01, "") + client(0x80, "all"), "[text all]");
    expect_client("5.4 all in the first", client(0x01, "all") + client(0x80, ""), "[text all]");
    expect_client("5.4 two fragmented messages",
                  client(0x01, "a") + client(0x80, "b") + client(0x02, "c") + client(0x80, "d"),
                  "[text ab][binary cd]");
    expect_client("5.6 character split between fragments", client(0x01, "\xe2\x82") + client(0x80, "\xac"),
                  "[text \xe2\x82\xac]");
}

void control_frames_come_between_fragments(void**) {
    const std::string ping = client(0x89, "p");
    expect_client("5.4", client(0x01, "a") + ping + client(0x00, "b") + client(0x8a, "") + ping + client(0x80, "c"),
                  "[ping p][pong ][ping p][text abc]");
    expect_client("5.5 longest", client(0x01, "a") + client(0x89, std::string(125, 'p')) + client(0x80, "b"),
                  "[ping " + std::string(125, 'p') + "][text ab]");
    expect_client("5.5.1 close", client(0x01, "half") + client(0x88, hex("03 e8")), "[close 1000 ]");
    expect_client("after a character's half", client(0x01, "\xe2\x82") + client(0x89, "\xff") + client(0x80, "\xac"),
                  "[ping \xff][text \xe2\x82\xac]");
}

void close_frames_give_code_and_reason(void**) {
    expect_client("5.5.1 empty", client(0x88, ""), "[close 1005 ]");
    expect_client("5.5.1 code", client(0x88, hex("03 e9")), "[close 1001 ]");
    expect_client("5.5.1 code and reason", client(0x88, hex("0f a0") + "bye \xe2\x82\xac"),
                  "[close 4000 bye \xe2\x82\xac]");
    expect_client("5.5.1 half a code", client(0x88, "\x03"), "[violation 1002 close frame with half a code]");
    const std::string longest(123, 'r');
    expect_client("5.5 the longest reason", client(0x88, hex("03 e8") + longest), "[close 1000 " + longest + "]");
    expect_client("5.5.1 reason not UTF-8", client(0x88, hex("03 e8 ff")),
                  "[violation 1007 close reason is not UTF-8]");
    expect_client("5.5.1 reason cut in a character", client(0x88, hex("03 e8 e2 82")),
                  "[violation 1007 close reason is not UTF-8]");
}

// 7.4.1: 1004 to 1006 and 1015 must not be in a frame; 7.4.2: nor what is not used or not assigned. All of them.
void close_codes_that_must_not_be_in_a_frame_are_refused(void**) {
    for (unsigned code = 0; code <= 0xFFFF; ++code) {
        const bool registered = (code >= 1000 && code <= 1014) && (code < 1004 || code > 1006);
        const bool expected = registered || (code >= 3000 && code <= 4999);
        const char body[] = {static_cast<char>(code >> 8), static_cast<char>(code)};
        std::string bytes = client(0x88, {body, 2});
        Decoder decoder(Sender::client, limits);
        std::span<char> input(bytes);
        const Event event = decoder.next(input);
        if (expected ? event.kind != Event::Kind::close || event.code != code
                     : event.kind != Event::Kind::violation || event.code != 1002) {
            fail_msg("7.4 %u: %s", code, describe(event).c_str());
        }
    }
}

void nothing_is_read_after_close_or_violation(void**) {
    expect_client("5.5.1", client(0x81, "a") + client(0x88, "") + client(0x81, "b") + client(0x88, ""),
                  "[text a][close 1005 ]");
    expect_client("7.1.7", client(0x83, "") + client(0x81, "b"), "[violation 1002 reserved opcode]");
    expect_client("inside a message", client(0x01, "a") + client(0x81, "b") + client(0x80, "c"),
                  "[violation 1002 message inside a fragmented message]");
}

void header_violations_close_with_1002(void**) {
    expect_client("5.1", server(0x81, "a"), "[violation 1002 unmasked frame from a client]");
    expect("5.1", Sender::server, client(0x81, "a"), "[violation 1002 masked frame from a server]");
    expect_client("5.2", client(0xc1, "a"), "[violation 1002 reserved bit set]");
    expect_client("5.4", client(0x80, "a"), "[violation 1002 continuation of nothing]");
    expect_client("5.2 a reserved opcode", client(0x8b, ""), "[violation 1002 reserved opcode]");
    expect_client("5.2 126 in eight bytes", hex("82 ff 00 00 00 00 00 00 00 7e"),
                  "[violation 1002 frame length not in its shortest form]");
    expect_client("5.2 2^63", hex("82 ff 80"), "[violation 1002 frame length out of range]");
    expect_client("5.5", client(0x89, std::string(126, 'p')), "[violation 1002 control frame too long]");
    expect_client("5.5 fragmented", client(0x09, ""), "[violation 1002 fragmented control frame]");
    expect_client("RFC 7692 6 RSV1 without agreement", client(0x41, ""), "[violation 1002 reserved bit set]");
}

void text_that_is_not_utf8_closes_with_1007(void**) {
    const std::string wrong = "[violation 1007 text is not UTF-8]";
    expect_client("8.1", client(0x81, "ab\xff"), wrong);
    expect_client("8.1 in a later fragment", client(0x01, "ab") + client(0x80, "\xc0"), wrong);
    expect_client("8.1 split, then wrong", client(0x01, "\xe0") + client(0x80, "\x80\x80"), wrong);
    expect_client("8.1 ends inside a character", client(0x81, "a\xe2\x82"),
                  "[violation 1007 text ends inside a character]");
    expect_client("8.1 ends inside a character", client(0x01, "\xe2") + client(0x80, ""),
                  "[violation 1007 text ends inside a character]");
    expect_client("5.6 binary may be anything", client(0x82, "\xff\xfe"), "[binary \xff\xfe]");
    expect_client("the next message starts afresh", client(0x82, "\xe2") + client(0x81, "a"), "[binary \xe2][text a]");
}

// The frame declares more than is sent: the wrong byte is enough.
void wrong_text_is_found_before_its_frame_is_complete(void**) {
    const std::string bytes = client(0x81, "ok\xf4\x90" + std::string(1000, 'a')).substr(0, 8 + 4);
    expect_client("8.1", bytes, "[violation 1007 text is not UTF-8]");
    expect_client("8.1", bytes.substr(0, bytes.size() - 1), "");
}

void messages_up_to_the_limits_pass_and_larger_ones_are_refused_by_their_header(void**) {
    const std::string most(limits.max_message, 'a');
    const std::string too_big = "[violation 1009 message too big]";
    expect_client("at the limit", client(0x82, most), "[binary " + most + "]");
    expect_client("at the limit in fragments", client(0x02, most.substr(1)) + client(0x80, "a"),
                  "[binary " + most + "]");
    expect_client("header alone", client(0x82, most + "a").substr(0, 14), too_big);
    expect_client("2^63 - 1", hex("82 ff 7f ff ff ff ff ff ff ff 00 00 00 00"), too_big);
    expect_client("sum of fragments", client(0x02, most) + hex("80 81 00 00 00 00"), too_big);
    expect_client("sum must not wrap", client(0x02, "a") + hex("80 ff 7f ff ff ff ff ff ff ff 00 00 00 00"), too_big);
    expect_client("control frames do not count", client(0x02, most) + client(0x89, "p") + client(0x80, ""),
                  "[ping p][binary " + most + "]");
}

void fragments_up_to_the_limit_pass_and_one_more_closes_with_1008(void**) {
    std::string most = client(0x01, "a");
    for (std::uint32_t i = 2; i < limits.max_fragments; ++i) { most += client(0x00, "a"); }
    expect_client("at the limit, twice", most + client(0x80, "a") + most + client(0x80, "a"),
                  "[text aaaaa][text aaaaa]");
    expect_client("one more", most + client(0x00, "a") + hex("80 80 00 00 00 00"),
                  "[violation 1008 message in too many fragments]");
}

void whole_messages_are_given_without_copying(void**) {
    Decoder decoder(Sender::client, limits);
    std::string bytes = client(0x81, "Hello") + client(0x89, "ping");
    std::span<char> input(bytes);
    const Event message = decoder.next(input);
    assert_ptr_equal(message.payload.data(), bytes.data() + 6);
    const Event ping = decoder.next(input);
    assert_ptr_equal(ping.payload.data(), bytes.data() + 6 + 5 + 6);
    assert_bytes_equal(message.payload, "Hello");
    assert_bytes_equal(ping.payload, "ping");
}

void an_event_leaves_the_bytes_behind_it_alone(void**) {
    Decoder decoder(Sender::client, limits);
    const std::string second = client(0x81, "two");
    std::string bytes = client(0x81, "one") + second;
    std::span<char> input(bytes);
    assert_true(decoder.next(input).kind == Event::Kind::message);
    assert_bytes_equal({input.data(), input.size()}, second);
}

struct State {
    bool boundary;
    bool message;
};

State after(std::string bytes) {
    Decoder decoder(Sender::client, limits);
    std::span<char> input(bytes);
    while (decoder.next(input).kind != Event::Kind::need_more) {}
    return {decoder.at_frame_boundary(), decoder.message_in_progress()};
}

void frames_and_messages_under_way_are_told(void**) {
    const struct {
        const char* name;
        std::string bytes;
        State state;
    } rows[] = {
        {"nothing yet", "", {true, false}},
        {"half a header", client(0x81, "a").substr(0, 1), {false, false}},
        {"header", client(0x81, "a").substr(0, 6), {false, true}},
        {"half a payload", client(0x81, "ab").substr(0, 7), {false, true}},
        {"message", client(0x81, "a"), {true, false}},
        {"fragment", client(0x01, "a"), {true, true}},
        {"half a ping", client(0x89, "ab").substr(0, 7), {false, false}},
        {"half a ping between fragments", client(0x01, "a") + client(0x89, "ab").substr(0, 7), {false, true}},
        {"ping between fragments", client(0x01, "a") + client(0x89, "ab"), {true, true}},
        {"empty message", client(0x81, ""), {true, false}},
    };
    for (const auto& row : rows) {
        const State got = after(row.bytes);
        if (got.boundary != row.state.boundary || got.message != row.state.message) {
            fail_msg("%s: boundary %d, message %d", row.name, got.boundary, got.message);
        }
    }
}

void a_million_fragments_of_one_byte_make_one_message(void**) {
    constexpr std::size_t count = 1000000;
    Decoder decoder(Sender::client, {.max_message = count, .max_fragments = count});
    std::string line = events(decoder, client(0x01, "x"), 64);
    std::string middle;
    for (int i = 0; i < 1000; ++i) { middle += client(0x00, "x"); }
    for (std::size_t i = 0; i < count / 1000 - 1; ++i) { line += events(decoder, middle, middle.size()); }
    middle.resize(middle.size() / 1000 * 998);
    line += events(decoder, middle, middle.size());
    assert_bytes_equal(line, "");
    line = events(decoder, client(0x80, "x"), 64);
    assert_bytes_equal(line, "[text " + std::string(count, 'x') + "]");
}

void a_flood_of_pings_gives_each_of_them(void**) {
    constexpr int count = 200000;
    Decoder decoder(Sender::client, limits);
    const std::string ping = client(0x89, std::string(125, 'p'));
    std::string flood;
    for (int i = 0; i < 1000; ++i) { flood += ping; }
    int pings = 0;
    for (int i = 0; i < count / 1000; ++i) {
        wire::deliver(flood, 4099, [&](std::span<char> input) {
            while (decoder.next(input).kind == Event::Kind::ping) { ++pings; }
        });
    }
    assert_int_equal(pings, count);
    assert_true(decoder.at_frame_boundary());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(rfc_5_7_examples_are_decoded),
        cmocka_unit_test(messages_of_every_length_encoding_arrive_whole),
        cmocka_unit_test(fragments_become_one_message_of_the_first_ones_type),
        cmocka_unit_test(control_frames_come_between_fragments),
        cmocka_unit_test(close_frames_give_code_and_reason),
        cmocka_unit_test(close_codes_that_must_not_be_in_a_frame_are_refused),
        cmocka_unit_test(nothing_is_read_after_close_or_violation),
        cmocka_unit_test(header_violations_close_with_1002),
        cmocka_unit_test(text_that_is_not_utf8_closes_with_1007),
        cmocka_unit_test(wrong_text_is_found_before_its_frame_is_complete),
        cmocka_unit_test(messages_up_to_the_limits_pass_and_larger_ones_are_refused_by_their_header),
        cmocka_unit_test(fragments_up_to_the_limit_pass_and_one_more_closes_with_1008),
        cmocka_unit_test(whole_messages_are_given_without_copying),
        cmocka_unit_test(an_event_leaves_the_bytes_behind_it_alone),
        cmocka_unit_test(frames_and_messages_under_way_are_told),
        cmocka_unit_test(a_million_fragments_of_one_byte_make_one_message),
        cmocka_unit_test(a_flood_of_pings_gives_each_of_them),
    };
    return cmocka_run_group_tests_name("websocket decoder", tests, nullptr, nullptr);
}
