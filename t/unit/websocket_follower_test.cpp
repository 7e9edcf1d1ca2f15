// Streams that are only followed. RFC 6455 5.1, 5.2, 5.4, 5.5 (what a header alone shows), 5.5.1 (nothing after a close).
#include "cmocka.hpp"

#include <string>

#include "websocket/follower.h"
#include "websocket_wire.hpp"

using namespace ws::websocket;
using wire::client;
using wire::hex;
using wire::server;
using ws::test::assert_bytes_equal;

namespace {

struct Seen {
    bool follows = true;
    bool boundary = true;
    std::uint64_t messages = 0;
    bool close = false;
    std::uint16_t code = close_code::none;
    std::string_view reason{};
};

void expect(const char* name, Sender sender, bool extensions, const std::string& bytes, const Seen& wanted) {
    wire::each_way(bytes, [&](std::size_t piece) {
        Follower follower(sender, extensions);
        bool follows = true;
        wire::deliver(bytes, piece, [&](std::span<char> now) { follows = follower.follow({now.data(), now.size()}); });
        if (follows != wanted.follows || follower.violated() == follows || follower.at_boundary() != wanted.boundary ||
            follower.messages() != wanted.messages || follower.close_seen() != wanted.close ||
            follower.close_code() != wanted.code || follower.reason() != wanted.reason) {
            fail_msg("%s: pieces of %zu: %d, boundary %d, %d messages, close %d %d, reason '%s'", name, piece, follows,
                     follower.at_boundary(), static_cast<int>(follower.messages()), follower.close_seen(),
                     follower.close_code(), std::string(follower.reason()).c_str());
        }
    });
}

void expect_client(const char* name, const std::string& bytes, const Seen& wanted) {
    expect(name, Sender::client, false, bytes, wanted);
}

void messages_count_when_their_last_frame_ends(void**) {
    const std::string text = client(0x81, "text");
    expect_client("nothing", "", {});
    expect_client("half a header", text.substr(0, 3), {.boundary = false});
    expect_client("half a payload", text.substr(0, 8), {.boundary = false});
    expect_client("one", text, {.messages = 1});
    expect_client("empty", client(0x82, ""), {.messages = 1});
    expect_client("three", text + client(0x82, "") + text, {.messages = 3});
    expect_client("first fragment", client(0x01, "a"), {});
    expect_client("5.4 fragments", client(0x01, "a") + client(0x00, "b") + client(0x80, "c"), {.messages = 1});
    expect_client("5.5 control frames", client(0x89, "a") + client(0x8a, "b"), {});
    expect_client("5.4 control frame between", client(0x01, "a") + client(0x89, "p") + client(0x80, "c"),
                  {.messages = 1});
    expect("long ones", Sender::server, false,
           server(0x82, std::string(126, 'a')) + server(0x82, std::string(65536, 'a')), {.messages = 2});
    expect_client("payloads are not looked at", client(0x81, "\xff\x88"), {.messages = 1});
}

std::size_t whole(const Follower& follower, const std::string& bytes) {
    const wire::Guarded memory(bytes.size());
    const std::span<char> data = memory.put(bytes);
    return follower.whole_messages({data.data(), data.size()});
}

void whole_messages_are_told_from_all_else(void**) {
    for (const Sender sender : {Sender::client, Sender::server}) {
        const auto frame = [sender](unsigned first, std::size_t size) {
            return wire::frame(sender, first, std::string(size, 'x'));
        };
        const Follower plain(sender, false);
        const Follower extended(sender, true);
        assert_int_equal(whole(plain, ""), 0);
        std::string all;
        std::size_t n = 0;
        for (const std::size_t size : {0, 1, 125, 126, 127, 65535}) {
            const std::string one = frame(0x80 | (1 + n % 2), size);
            for (std::size_t cut = 1; cut < one.size(); cut += 1 + cut / 20 * 20) {
                assert_int_equal(whole(plain, one.substr(0, cut)), 0);
                assert_int_equal(whole(plain, all + one.substr(0, cut)), 0);
            }
            all += one;
            assert_int_equal(whole(plain, all), ++n);
        }
        for (const unsigned first : {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x88, 0x89, 0x8a, 0x8f}) {
            assert_int_equal(whole(plain, all + frame(first, 5)), 0);
            assert_int_equal(whole(extended, all + frame(first, 5)), 0);
            assert_int_equal(whole(extended, frame(first | 0x70, 5) + all), 0);
        }
        for (const unsigned bits : {0x10, 0x20, 0x40, 0x70}) {
            assert_int_equal(whole(plain, frame(0x81 | bits, 5)), 0);
            assert_int_equal(whole(extended, frame(0x82 | bits, 5) + all), n + 1);
        }
        const Sender other = sender == Sender::client ? Sender::server : Sender::client;
        assert_int_equal(whole(plain, wire::frame(other, 0x81, std::string(300, 'x'))), 0);
        assert_int_equal(whole(plain, wire::frame(other, 0x81, "x")), 0);
        // Of 125 bytes in the longer form, and of more than fits.
        std::string longer = frame(0x81, 126);
        longer[3] = 125;
        longer.pop_back();
        assert_int_equal(whole(plain, longer), 0);
        assert_int_equal(whole(plain, frame(0x81, 65536)), 0);
    }
}

void in_the_middle_of_something_nothing_is_a_whole_message(void**) {
    const std::string text = client(0x81, "text");
    for (const std::string& before : {text.substr(0, 1), text.substr(0, 8), client(0x01, "first"), client(0x88, "")}) {
        Follower follower(Sender::client, false);
        assert_int_equal(whole(follower, text), 1);
        assert_true(follower.follow(before));
        assert_int_equal(whole(follower, text), 0);
    }
    Follower violated(Sender::client, false);
    assert_false(violated.follow("\x83"));
    assert_int_equal(whole(violated, text), 0);
}

void close_frames_give_their_code(void**) {
    const std::string close = client(0x88, hex("0f a0") + "bye");
    expect_client("5.5.1 code and reason", close, {.close = true, .code = 4000});
    expect_client("unreadable as yet", close.substr(0, 7), {.boundary = false, .close = true});
    expect_client("readable before its end", close.substr(0, 8), {.boundary = false, .close = true, .code = 4000});
    expect_client("5.5.1 empty", client(0x88, ""), {.close = true});
    expect_client("5.5.1 half a code", client(0x88, "\x0f"), {.close = true});
    expect("unmasked", Sender::server, false, server(0x88, hex("03 f4")), {.close = true, .code = 1012});
    expect_client("after a message", client(0x81, "a") + close, {.messages = 1, .close = true, .code = 4000});
    expect_client("5.5.1 nothing counts after it", close + client(0x81, "a") + "\x83", {.close = true, .code = 4000});
}

void header_violations_are_told_and_last(void**) {
    Seen seen{.follows = false, .boundary = false};
    seen.reason = "unmasked frame from a client";
    expect_client("5.1", server(0x81, "a"), seen);
    seen.reason = "reserved opcode";
    expect_client("5.2", client(0x83, "") + client(0x81, "a"), seen);
    seen.reason = "reserved bit set";
    expect_client("5.2 RSV1", client(0xc1, "a"), seen);
    expect("5.2 RSV1 on a ping", Sender::client, true, client(0xc9, ""), seen);
    seen.messages = 1;
    seen.reason = "continuation of nothing";
    expect_client("5.4", client(0x81, "a") + client(0x80, "b"), seen);
}

void reserved_bits_pass_with_extensions(void**) {
    expect("RFC 7692 7.2.3.1", Sender::server, true, hex("c1 07 f2 48 cd c9 c9 07 00"), {.messages = 1});
    expect("RFC 7692 7.2.3.1 in fragments", Sender::server, true, hex("41 03 f2 48 cd 80 04 c9 c9 07 00"),
           {.messages = 1});
}

// From each place of the stream, follow_to_boundary() stops where the frame under way ends.
void following_to_the_boundary_stops_at_the_end_of_the_frame(void**) {
    const std::string frames[] = {client(0x01, "first"), client(0x89, ""), client(0x80, std::string(200, 'x')),
                                  client(0x88, hex("03 e8"))};
    std::string bytes;
    for (const std::string& frame : frames) {
        const std::string next = client(0x81, "next");
        for (std::size_t done = 0; done <= frame.size(); ++done) {
            Follower follower(Sender::client, false);
            assert_true(follower.follow(bytes + frame.substr(0, done)));
            const std::string rest = frame.substr(done);
            const bool inside = done > 0 && done < frame.size();
            const std::string ahead = rest + next;
            assert_int_equal(follower.follow_to_boundary(ahead), inside ? rest.size() : 0);
            assert_true(follower.at_boundary());
            assert_false(follower.violated());
        }
        bytes += frame;
    }
}

void following_to_the_boundary_takes_all_when_the_frame_goes_on(void**) {
    const std::string frame = client(0x81, std::string(200, 'x'));
    for (std::size_t from = 1; from < frame.size(); ++from) {
        for (std::size_t to = from; to < frame.size(); ++to) {
            Follower follower(Sender::client, false);
            assert_true(follower.follow(frame.substr(0, from)));
            assert_int_equal(follower.follow_to_boundary(frame.substr(from, to - from)), to - from);
            assert_false(follower.at_boundary());
            assert_int_equal(follower.follow_to_boundary(frame.substr(to)), frame.size() - to);
            assert_int_equal(follower.messages(), 1);
        }
    }
}

void following_to_the_boundary_takes_nothing_of_a_wrong_header(void**) {
    Follower follower(Sender::client, false);
    assert_true(follower.follow("\x81"));
    assert_int_equal(follower.follow_to_boundary("\x05Hello"), 0);
    assert_true(follower.violated());
    assert_false(follower.at_boundary());
    assert_bytes_equal(follower.reason(), "unmasked frame from a client");
    assert_int_equal(follower.follow_to_boundary("more"), 0);
    assert_false(follower.follow(""));
}

void a_payload_of_2_to_the_63_is_skipped_without_end(void**) {
    Follower follower(Sender::server, false);
    assert_true(follower.follow(hex("82 7f 7f ff ff ff ff ff ff ff")));
    const std::string much(1 << 20, '\x83');
    for (int i = 0; i < 1000; ++i) { assert_true(follower.follow(much)); }
    assert_false(follower.at_boundary());
    assert_int_equal(follower.messages(), 0);
}

void a_million_fragments_and_pings_are_followed(void**) {
    Follower follower(Sender::client, false);
    assert_true(follower.follow(client(0x01, "x")));
    std::string middle;
    for (int i = 0; i < 1000; ++i) { middle += client(0x00, "x") + client(0x89, ""); }
    for (int i = 0; i < 1000; ++i) { assert_true(follower.follow(middle)); }
    assert_int_equal(follower.messages(), 0);
    assert_true(follower.follow(client(0x80, "x")));
    assert_int_equal(follower.messages(), 1);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(messages_count_when_their_last_frame_ends),
        cmocka_unit_test(whole_messages_are_told_from_all_else),
        cmocka_unit_test(in_the_middle_of_something_nothing_is_a_whole_message),
        cmocka_unit_test(close_frames_give_their_code),
        cmocka_unit_test(header_violations_are_told_and_last),
        cmocka_unit_test(reserved_bits_pass_with_extensions),
        cmocka_unit_test(following_to_the_boundary_stops_at_the_end_of_the_frame),
        cmocka_unit_test(following_to_the_boundary_takes_all_when_the_frame_goes_on),
        cmocka_unit_test(following_to_the_boundary_takes_nothing_of_a_wrong_header),
        cmocka_unit_test(a_payload_of_2_to_the_63_is_skipped_without_end),
        cmocka_unit_test(a_million_fragments_and_pings_are_followed),
    };
    return cmocka_run_group_tests_name("websocket follower", tests, nullptr, nullptr);
}
