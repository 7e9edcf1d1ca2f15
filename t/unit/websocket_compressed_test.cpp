// Messages with permessage-deflate, as they come in frames.
//
//     RFC 7692 6      RSV1: where it may be, what it means         the_examples..., rsv1_is_refused...
//     RFC 7692 6.1    fragments of a compressed message            fragments..., control_frames...
//     RFC 7692 6.2    compressed and other messages in turn        compressed_and_other_messages...
//     RFC 7692 7.2.3  the examples                                 the_examples_are_decoded
//     RFC 7692 8      limits on the inflated size                  bombs..., limits...
//     RFC 6455 8.1    UTF-8 of what is inflated                    text_that_is_not_utf8...
#include "websocket/decoder.h"

#include <string>

#include "cmocka.hpp"
#include "websocket/message.h"
#include "websocket_events.hpp"
#include "websocket_wire.hpp"

using namespace ws::websocket;
using wire::client;
using wire::events;
using wire::hex;
using wire::server;
using ws::test::assert_bytes_equal;

namespace {

constexpr Limits limits{.max_message = 70000, .max_fragments = 5};

const std::string hello = hex("f2 48 cd c9 c9 07 00");
const std::string again = hex("f2 00 11 00 00");  // "Hello", by reference to the message before

void expect(const char* name, Sender sender, const std::string& bytes, const std::string& expected,
            Inflater::Options options = {}) {
    wire::each_way(bytes, [&](std::size_t piece) {
        Inflater inflater(options);
        Decoder decoder(sender, limits, &inflater);
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

std::string deflated(std::string_view message, int level = 6) {
    Deflater deflater({.level = level});
    std::string out;
    deflater.deflate(message, out);
    return out;
}

void the_examples_are_decoded(void**) {
    const std::string text = "[text Hello]";
    expect("7.2.3.1", Sender::server, hex("c1 07 f2 48 cd c9 c9 07 00"), text);
    expect("7.2.3.1 in fragments", Sender::server, hex("41 03 f2 48 cd 80 04 c9 c9 07 00"), text);
    expect("7.2.3.2", Sender::server, hex("c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00"), text + text);
    expect("7.2.3.3", Sender::server, hex("c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00"), text);
    expect("7.2.3.4", Sender::server, hex("c1 08 f3 48 cd c9 c9 07 00 00"), text);
    expect("7.2.3.5", Sender::server, hex("c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00"), text);
    expect("7.2.3.6", Sender::server, hex("41 0b f2 48 cd c9 c9 07 00 00 00 ff ff 80 01 00"), text);
    expect("7.2.3.1 masked", Sender::client, client(0xc1, hello), text);
    expect("empty", Sender::client, client(0xc1, hex("00")) + client(0xc2, hex("02 00")), "[text ][binary ]");
}

void compressed_and_other_messages_come_in_turn(void**) {
    expect_client("6.2", client(0xc1, hello) + client(0x81, "plain") + client(0xc2, again) + client(0x82, ""),
                  "[text Hello][text plain][binary Hello][binary ]");
    expect_client("fragments",
                  client(0x41, hello.substr(0, 2)) + client(0x80, hello.substr(2)) + client(0x01, "p") +
                      client(0x80, "lain") + client(0xc1, again),
                  "[text Hello][text plain][text Hello]");
}

void without_takeover_a_message_can_not_refer_to_another(void**) {
    const Inflater::Options alone{.context_takeover = false};
    expect("7.1.1", Sender::client, client(0xc1, hello) + client(0xc1, hello), "[text Hello][text Hello]", alone);
    expect("7.1.1", Sender::client, client(0xc1, hello) + client(0xc1, again),
           "[text Hello][violation 1007 compressed data is corrupt]", alone);
}

// 6.1: the message is compressed, then cut: anywhere, and into empty fragments too.
void fragments_are_inflated_as_one(void**) {
    for (std::size_t cut = 0; cut <= hello.size(); ++cut) {
        expect_client("6.1", client(0x41, hello.substr(0, cut)) + client(0x80, hello.substr(cut)), "[text Hello]");
        expect_client(
            "6.1",
            client(0x42, "") + client(0x00, hello.substr(0, cut)) + client(0x00, hello.substr(cut)) + client(0x80, ""),
            "[binary Hello]");
    }
}

void control_frames_come_between_compressed_fragments(void**) {
    const std::string ping = client(0x89, "p");
    const std::string message = client(0x41, hello.substr(0, 4)) + ping + client(0x00, hello.substr(4)) +
                                client(0x8a, std::string(125, 'q')) + client(0x80, "");
    const std::string expected = "[ping p][pong " + std::string(125, 'q') + "][text Hello]";
    expect_client("5.4", message + message, expected + expected);
    expect_client("5.5.1 close", client(0x41, hello.substr(0, 4)) + client(0x88, hex("03 e8")), "[close 1000 ]");
}

void rsv1_is_refused_where_it_may_not_be(void**) {
    const std::string refused = "[violation 1002 reserved bit set]";
    expect_client("6.1 continuation", client(0x41, hello.substr(0, 3)) + client(0xc0, hello.substr(3)), refused);
    expect_client("6.1 continuation of another", client(0x01, "a") + client(0xc0, hello), refused);
    expect_client("6.1 ping", client(0xc9, ""), refused);
    expect_client("6.1 pong in between", client(0x41, hello) + client(0xca, ""), refused);
    expect_client("6.1 close", client(0xc8, hex("03 e8")), refused);
    expect_client("6.1 RSV2", client(0xe1, hello), refused);
    expect_client("6.1 RSV3", client(0x91, hello), refused);
    Decoder decoder(Sender::client, limits);
    assert_bytes_equal(events(decoder, client(0xc1, hello), 100), refused);
}

void data_that_is_not_deflate_closes_with_1007(void**) {
    const std::string corrupt = "[violation 1007 compressed data is corrupt]";
    const std::string cut_off = "[violation 1007 compressed message is cut off]";
    expect_client("7.2.2", client(0xc1, hex("06 00")), corrupt);
    expect_client("7.2.2 after text", client(0xc1, hex("f2 48 05 00 00 00 ff ff 06")), corrupt);
    expect_client("not compressed at all", client(0xc1, "Hello"), corrupt);
    expect_client("too far back", client(0xc1, again), corrupt);
    expect_client("no bytes", client(0xc1, ""), cut_off);
    expect_client("7.2.3.4 without its 0x00", client(0xc1, hex("f3 48 cd c9 c9 07 00")), cut_off);
    expect_client("the tail would be data", client(0xc2, hex("00 05 00 fa ff 48")), cut_off);
    expect_client("next message", client(0xc1, hello.substr(0, 6)) + client(0xc1, again), cut_off);
    for (std::size_t n = 1; n < hello.size(); ++n) {
        expect_client("7.2.1", client(0x41, hello.substr(0, n)) + client(0x80, ""), cut_off);
    }
}

void corrupt_data_is_found_before_its_frame_is_complete(void**) {
    const std::string sound = hex("f2 48 05 00 00 00 ff ff");
    const std::string bytes = client(0xc1, sound + "\x06" + std::string(500, 'x'));
    expect_client("whole", bytes.substr(0, 8 + sound.size()), "");
    expect_client("one byte more", bytes.substr(0, 8 + sound.size() + 1),
                  "[violation 1007 compressed data is corrupt]");
}

void text_that_is_not_utf8_closes_with_1007(void**) {
    const std::string wrong = "[violation 1007 text is not UTF-8]";
    expect_client("8.1", client(0xc1, deflated("ab\xff")), wrong);
    expect_client("8.1 binary may be anything", client(0xc2, deflated("ab\xff")), "[binary ab\xff]");
    expect_client("8.1 cut", client(0xc1, deflated("ab\xe2\x82")), "[violation 1007 text ends inside a character]");
    const std::string euro = deflated("\xe2\x82\xac");
    for (std::size_t cut = 0; cut <= euro.size(); ++cut) {
        expect_client("8.1 split", client(0x41, euro.substr(0, cut)) + client(0x80, euro.substr(cut)),
                      "[text \xe2\x82\xac]");
    }
    expect_client("8.1 before a later fault", client(0xc1, hex("00 01 00 fe ff ff 06")), wrong);
    expect_client("8.1 after megabytes, before the limit", client(0xc1, deflated(std::string(69999, 'a') + "\xff")),
                  wrong);
}

// The frame declares more than is sent: the wrong byte is enough.
void wrong_text_is_found_before_its_frame_is_complete(void**) {
    const std::string bytes = client(0xc1, hex("00 02 01 fd fe") + "a\xff" + std::string(256, 'a') + '\0');
    expect_client("8.1", bytes.substr(0, 8 + 6), "");
    expect_client("8.1", bytes.substr(0, 8 + 7), "[violation 1007 text is not UTF-8]");
}

void limits_hold_for_what_is_inflated(void**) {
    const std::string most(limits.max_message, 'a');
    const std::string too_big = "[violation 1009 message too big]";
    expect_client("at the limit", client(0xc2, deflated(most)), "[binary " + most + "]");
    expect_client("twice", client(0xc2, deflated(most)) + client(0xc1, deflated(most)),
                  "[binary " + most + "][text " + most + "]");
    expect_client("one more", client(0xc2, deflated(most + "a")), too_big);
    expect_client("wrong text beyond the limit", client(0xc1, deflated(most + "\xff")), too_big);
    const std::string more = deflated(most + "a");
    expect_client("in fragments", client(0x42, more.substr(0, 30)) + client(0x00, more.substr(30)), too_big);
    expect_client("control frames do not count", client(0x42, deflated(most)) + client(0x89, "p") + client(0x80, ""),
                  "[ping p][binary " + most + "]");
}

// What can't be compressed is a little longer than what it is inflated to; beyond that, a length can't be honest.
void limits_hold_for_what_is_declared(void**) {
    std::string noise(limits.max_message, '\0');
    std::uint32_t state = 1;
    for (char& c : noise) {
        state = state * 1664525 + 1013904223;
        c = static_cast<char>(state >> 24);
    }
    const std::string longer = deflated(noise);
    assert_true(longer.size() > noise.size());
    expect_client("noise at the limit", client(0xc2, longer), "[binary " + noise + "]");

    const std::string too_big = "[violation 1009 message too big]";
    const std::size_t bound = limits.max_message + limits.max_message / 8 + 64;
    expect_client("the header is enough", client(0xc2, std::string(bound + 1, '\0')).substr(0, 14), too_big);
    expect_client("2^63 - 1", hex("c2 ff 7f ff ff ff ff ff ff ff 00 00 00 00"), too_big);
    expect_client("sum of fragments", client(0x42, hello) + client(0x00, std::string(bound - 6, '\0')).substr(0, 14),
                  too_big);
    expect_client("fragments",
                  client(0x41, "") + client(0x00, "") + client(0x00, "") + client(0x00, "") + client(0x00, "") +
                      client(0x80, hello),
                  "[violation 1008 message in too many fragments]");
}

// A thousand to one, of a gigabyte: refused after 70000 bytes of it, whatever is still to come.
void bombs_are_stopped_at_the_limit(void**) {
    const std::string bomb = deflated(std::string(1024 * 1024, '\0'), 9);
    assert_true(bomb.size() < 1100);
    const std::string too_big = "[violation 1009 message too big]";
    expect_client("8", client(0xc2, bomb), too_big);
    expect_client("8 text", client(0xc1, bomb), too_big);
    expect_client("8 the first bytes are enough", client(0x42, bomb.substr(0, 100)), too_big);
    expect_client("after a good message", client(0xc1, hello) + client(0xc2, bomb), "[text Hello]" + too_big);
}

void a_million_fragments_make_one_compressed_message(void**) {
    constexpr std::uint32_t count = 1000000;
    const std::string message(count - 4, 'x');
    std::string stored;  // in blocks of 65535 without compression, so that most bytes are the message's
    for (std::size_t at = 0; at < message.size(); at += 65535) {
        const std::string block = message.substr(at, 65535);
        const auto low = static_cast<char>(block.size() & 0xFF);
        const auto high = static_cast<char>(block.size() >> 8);
        stored += std::string{'\0', low, high, static_cast<char>(~low), static_cast<char>(~high)} + block;
    }
    stored += '\0';
    Inflater inflater({});
    Decoder decoder(Sender::client, {.max_message = count, .max_fragments = count + 1000}, &inflater);
    std::string line = events(decoder, client(0x41, ""), 64);
    for (std::size_t at = 0; at < stored.size(); at += 1000) {
        std::string frames;
        for (const char byte : stored.substr(at, 1000)) { frames += client(0x00, {&byte, 1}); }
        line += events(decoder, frames, frames.size());
    }
    assert_bytes_equal(line, "");
    line = events(decoder, client(0x80, ""), 64);
    assert_bytes_equal(line, "[text " + message + "]");
}

// What append_message() writes, a decoder reads.
void messages_are_written_compressed_from_the_threshold_on(void**) {
    for (const Sender sender : {Sender::client, Sender::server}) {
        const auto mask = sender == Sender::client ? std::optional<MaskKey>(wire::key) : std::nullopt;
        for (const std::uint8_t bits : {std::uint8_t{8}, std::uint8_t{15}}) {
            Deflater deflater({.window_bits = bits});
            std::string out = "before";
            std::string expected;
            for (const std::size_t size : {0u, 1u, 99u, 100u, 101u, 125u, 126u, 65535u, 65536u, 70000u}) {
                const std::string payload(size, 'a');
                const std::size_t start = out.size();
                append_message(out, Opcode::text, payload, &deflater, 100, mask);
                assert_int_equal(static_cast<unsigned char>(out[start]), size < 100 ? 0x81 : 0xc1);
                assert_true(size < 100 || out.size() - start < 50 + size / 50);
                expected += "[text " + payload + "]";
            }
            expect("written", sender, out.substr(6), expected, {.window_bits = bits});
        }
    }
}

void written_messages_are_those_of_the_wire(void**) {
    Deflater deflater({.level = 6});
    std::string out;
    append_message(out, Opcode::text, "Hello", &deflater, 0, std::nullopt);
    append_message(out, Opcode::binary, "Hello", &deflater, 5, wire::key);
    append_message(out, Opcode::text, "", &deflater, 0, std::nullopt);
    append_message(out, Opcode::text, "Hello", &deflater, 6, wire::key);
    append_message(out, Opcode::binary, "Hello", nullptr, 0, std::nullopt);
    assert_bytes_equal(out, server(0xc1, hello) + client(0xc2, again) + server(0xc1, {"\0", 1}) +
                                client(0x81, "Hello") + server(0x82, "Hello"));
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_are_decoded),
        cmocka_unit_test(compressed_and_other_messages_come_in_turn),
        cmocka_unit_test(without_takeover_a_message_can_not_refer_to_another),
        cmocka_unit_test(fragments_are_inflated_as_one),
        cmocka_unit_test(control_frames_come_between_compressed_fragments),
        cmocka_unit_test(rsv1_is_refused_where_it_may_not_be),
        cmocka_unit_test(data_that_is_not_deflate_closes_with_1007),
        cmocka_unit_test(corrupt_data_is_found_before_its_frame_is_complete),
        cmocka_unit_test(text_that_is_not_utf8_closes_with_1007),
        cmocka_unit_test(wrong_text_is_found_before_its_frame_is_complete),
        cmocka_unit_test(limits_hold_for_what_is_inflated),
        cmocka_unit_test(limits_hold_for_what_is_declared),
        cmocka_unit_test(bombs_are_stopped_at_the_limit),
        cmocka_unit_test(a_million_fragments_make_one_compressed_message),
        cmocka_unit_test(messages_are_written_compressed_from_the_threshold_on),
        cmocka_unit_test(written_messages_are_those_of_the_wire),
    };
    return cmocka_run_group_tests_name("websocket compressed messages", tests, nullptr, nullptr);
}
