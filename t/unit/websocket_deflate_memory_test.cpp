// How much heap the DEFLATE streams hold: the figures of module/websocket/deflate.h.
#include "websocket/decoder.h"

#include <algorithm>
#include <array>
#include <string>

#include "cmocka.hpp"
#include "heap.hpp"
#include "websocket_wire.hpp"

using namespace ws::websocket;
using wire::client;
using wire::hex;

namespace {

constexpr Limits limits{.max_message = 1024 * 1024, .max_fragments = 1000000};
constexpr std::size_t kibi = 1024;
constexpr std::size_t rounding = 256;  // of malloc, for the few pieces that a stream has

std::string noise(std::size_t size) {
    std::string out(size, '\0');
    std::uint32_t state = 1;
    for (char& c : out) {
        state = state * 1664525 + 1013904223;
        c = static_cast<char>(state >> 24);
    }
    return out;
}

std::string compressed(std::string_view message, std::uint8_t window_bits = 15) {
    Deflater deflater({.window_bits = window_bits, .level = 9});
    std::string out;
    deflater.deflate(message, out);
    return out;
}

void expect_between(const char* what, std::uint8_t bits, std::size_t got, std::size_t least, std::size_t most) {
    if (got < least || got > most) {
        fail_msg("%s with %u bits: %zu bytes, not %zu to %zu", what, static_cast<unsigned>(bits), got, least, most);
    }
}

void streams_take_nothing_before_their_first_message(void**) {
    const heap::Since memory;
    Inflater inflater({});
    Deflater deflater({});
    Decoder decoder(Sender::client, limits, &inflater);
    assert_int_equal(memory.most(), 0);
    std::string empty(6, '\0');
    deflater.deflate("", empty);
    assert_int_equal(memory.most(), 0);
}

void deflaters_hold_what_their_window_and_level_say_and_nothing_when_released(void**) {
    const std::string message(100, 'x');
    std::string out(1000, '\0');
    for (const std::uint8_t bits : std::array<std::uint8_t, 8>{8, 9, 10, 11, 12, 13, 14, 15}) {
        for (int mem_level = 1; mem_level <= 9; ++mem_level) {
            const std::size_t window = std::size_t{1} << (bits == 8 ? 9 : bits);
            const std::size_t figure = 6 * kibi + 4 * window + (std::size_t{1} << (mem_level + 9));
            Deflater deflater({.window_bits = bits, .mem_level = mem_level});
            const heap::Since memory;
            for (int i = 0; i < 3; ++i) {
                out.clear();
                deflater.deflate(message, out);
                expect_between("deflater", bits, memory.most(), figure - rounding, figure + rounding);
                deflater.release();
                assert_int_equal(memory.now(), 0);
            }
        }
    }
}

void inflaters_hold_their_window_and_when_released_what_is_in_it(void**) {
    for (const std::uint8_t bits : std::array<std::uint8_t, 8>{8, 9, 10, 11, 12, 13, 14, 15}) {
        const std::size_t window = std::size_t{1} << bits;
        for (const std::size_t size : {std::size_t{100}, std::size_t{100000}}) {
            std::string bytes = client(0xc2, compressed(noise(size), bits));
            const std::string bytes_again = bytes;
            Inflater inflater({.window_bits = bits});
            Decoder decoder(Sender::client, limits, &inflater);
            const heap::Since memory;
            for (int i = 0; i < 3; ++i) {
                bytes.replace(0, bytes.size(), bytes_again);
                std::span<char> input(bytes);
                assert_true(decoder.next(input).kind == Event::Kind::message);
                assert_true(decoder.next(input).kind == Event::Kind::need_more);
                expect_between("inflater", bits, memory.now(), 7 * kibi + window, 7 * kibi + window + 2 * rounding);
                inflater.release();
                const std::size_t kept = std::min(window, (static_cast<std::size_t>(i) + 1) * size);
                expect_between("released inflater", bits, memory.now(), kept, kept + rounding);
            }
        }
    }
}

void without_takeover_a_released_inflater_holds_nothing(void**) {
    std::string bytes = client(0xc2, compressed(noise(100000)));
    Inflater inflater({.context_takeover = false});
    Decoder decoder(Sender::client, limits, &inflater);
    const heap::Since memory;
    std::span<char> input(bytes);
    assert_true(decoder.next(input).kind == Event::Kind::message);
    assert_true(decoder.next(input).kind == Event::Kind::need_more);
    assert_true(memory.now() > 39 * kibi);
    inflater.release();
    assert_int_equal(memory.now(), 0);
}

void the_last_event_gives_back_what_the_inflater_holds(void**) {
    for (const std::string& last : {client(0x88, hex("03 e8")), client(0x83, ""), client(0xc1, hex("06"))}) {
        std::string bytes = client(0xc2, compressed(noise(100000))) + last;
        Inflater inflater({});
        Decoder decoder(Sender::client, limits, &inflater);
        const heap::Since memory;
        std::span<char> input(bytes);
        assert_true(decoder.next(input).kind == Event::Kind::message);
        const Event::Kind kind = decoder.next(input).kind;
        assert_true(kind == Event::Kind::close || kind == Event::Kind::violation);
        assert_true(decoder.next(input).kind == Event::Kind::need_more);
        assert_int_equal(memory.now(), 0);
    }
}

// A gigabyte to come, a megabyte allowed: never more than that, its growth, and the stream.
void a_bomb_holds_no_more_than_the_limit(void**) {
    std::string bytes = client(0xc2, compressed(std::string(64 * limits.max_message, '\0')));
    Inflater inflater({});
    Decoder decoder(Sender::client, limits, &inflater);
    const heap::Since memory;
    std::span<char> input(bytes);
    const Event event = decoder.next(input);
    assert_true(event.kind == Event::Kind::violation);
    assert_int_equal(event.code, close_code::message_too_big);
    assert_true(memory.most() > limits.max_message / 2);
    assert_true(memory.most() <= 2 * limits.max_message + 48 * kibi);
    assert_int_equal(memory.now(), 0);
}

void a_compressed_message_holds_what_arrived_of_it(void**) {
    const std::string message = noise(500000);
    const std::string body = compressed(message);
    std::string bytes = client(0xc2, body);
    Inflater inflater({});
    Decoder decoder(Sender::client, limits, &inflater);
    const heap::Since memory;
    const std::size_t part = bytes.size() / 10;
    std::span<char> input(bytes.data(), part);
    assert_true(decoder.next(input).kind == Event::Kind::need_more);
    assert_true(memory.most() < 4 * part + 48 * kibi);
    inflater.release();  // in the middle: nothing
    input = std::span<char>(bytes).subspan(part);
    assert_int_equal(decoder.next(input).payload.size(), message.size());
    assert_true(decoder.next(input).kind == Event::Kind::need_more);
    assert_true(memory.now() < 40 * kibi);
}

void a_message_that_grows_when_inflated_is_seldom_moved(void**) {
    std::string bytes = client(0xc2, compressed(std::string(1000000, 'x')));
    Inflater inflater({});
    Decoder decoder(Sender::client, limits, &inflater);
    const heap::Since memory;
    std::span<char> input(bytes);
    assert_true(decoder.next(input).kind == Event::Kind::message);
    assert_true(memory.times() < 12);
}

// Both directions of a connection that is not idle.
void steady_streams_take_nothing_more(void**) {
    const std::string message = noise(1000);
    Deflater deflater({});
    Inflater inflater({});
    std::string bytes(4000, '\0');
    std::array<char, 2000> memory;
    const auto once = [&] {
        bytes.clear();
        deflater.deflate(message, bytes);
        std::string_view input = bytes;
        std::span<char> room(memory);
        assert_true(inflater.inflate(input, room) == Inflater::Status::need_more);
        assert_true(inflater.end_message());
    };
    once();
    const heap::Since since;
    for (int i = 0; i < 100; ++i) { once(); }
    assert_int_equal(since.times(), 0);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(streams_take_nothing_before_their_first_message),
        cmocka_unit_test(deflaters_hold_what_their_window_and_level_say_and_nothing_when_released),
        cmocka_unit_test(inflaters_hold_their_window_and_when_released_what_is_in_it),
        cmocka_unit_test(without_takeover_a_released_inflater_holds_nothing),
        cmocka_unit_test(the_last_event_gives_back_what_the_inflater_holds),
        cmocka_unit_test(a_bomb_holds_no_more_than_the_limit),
        cmocka_unit_test(a_compressed_message_holds_what_arrived_of_it),
        cmocka_unit_test(a_message_that_grows_when_inflated_is_seldom_moved),
        cmocka_unit_test(steady_streams_take_nothing_more),
    };
    return cmocka_run_group_tests_name("websocket deflate memory", tests, nullptr, nullptr);
}
