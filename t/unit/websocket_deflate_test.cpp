// DEFLATE streams alone, without frames.
//
//     RFC 7692 7.2.1    compressing: no tail, empty messages       messages_come_back..., an_empty_message...
//     RFC 7692 7.2.2    decompressing: the tail                    the_examples..., truncated...
//     RFC 7692 7.2.3    the examples                               the_examples_are_inflated
//     RFC 7692 7.1.1    context takeover, both ways                without_takeover..., released...
//     RFC 7692 7.1.2    windows                                    messages_come_back..., a_reference_beyond_the_window...
#include "websocket/deflate.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include "cmocka.hpp"
#include "websocket_wire.hpp"

using namespace ws::websocket;
using wire::hex;
using ws::test::assert_bytes_equal;
using Status = Inflater::Status;

namespace {

// Inflates a part of a message; the input is delivered in pieces of `piece` bytes, the output in rooms of `room` bytes, both
// at guarded pages. False when it is corrupt.
bool inflate_part(Inflater& inflater, std::string_view bytes, std::size_t piece, std::size_t room, std::string& out) {
    const wire::Guarded memory(room);
    bool sound = true;
    wire::deliver(bytes, piece, [&](std::span<char> now) {
        std::string_view input(now.data(), now.size());
        Status status = Status::full;
        while (sound && status == Status::full) {
            std::span<char> rest(memory.end() - room, room);
            status = inflater.inflate(input, rest);
            out.append(memory.end() - room, room - rest.size());
            sound = status != Status::corrupt;
        }
        assert_true(!sound || input.empty());
    });
    return sound;
}

// "corrupt" and "cut off" instead of the message when it is not right.
std::string inflated(Inflater& inflater, std::string_view bytes, std::size_t piece, std::size_t room) {
    std::string out;
    if (!inflate_part(inflater, bytes, piece, room, out)) { return "corrupt"; }
    return inflater.end_message() ? out : "cut off";
}

std::string inflated(Inflater& inflater, std::string_view bytes) {
    return inflated(inflater, bytes, bytes.size() + 1, 4096);
}

std::string deflated(Deflater& deflater, std::string_view message) {
    std::string out = "before";
    deflater.deflate(message, out);
    assert_bytes_equal(out.substr(0, 6), "before");
    return out.substr(6);
}

// Text that repeats itself, near and far.
std::string text(std::mt19937& random, std::size_t size) {
    static constexpr std::string_view words[] = {"{\"id\":", "\"name\":\"",  "true",
                                                 "null",     "\xe2\x82\xac", "aaaaaaaaaaaaaaaaaaaaaaaa"};
    std::string out;
    while (out.size() < size) {
        const std::size_t choice = random() % 9;
        if (choice < std::size(words)) {
            out += words[choice];
        } else if (choice == 6 && out.size() > 300) {
            out += out.substr(random() % (out.size() - 299), 3 + random() % 290);
        } else {
            out.push_back(static_cast<char>('a' + random() % 26));
        }
    }
    out.resize(size);
    return out;
}

std::string noise(std::mt19937& random, std::size_t size) {
    std::string out(size, '\0');
    for (char& c : out) { c = static_cast<char>(random()); }
    return out;
}

struct Example {
    const char* name;
    const char* bytes;  // hex
    const char* message;
};

constexpr Example examples[] = {
    {"7.2.3.1 one block", "f2 48 cd c9 c9 07 00", "Hello"},
    {"7.2.3.2 the same again, with takeover", "f2 00 11 00 00", "Hello"},
    {"7.2.3.3 no compression", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"},
    {"7.2.3.4 BFINAL", "f3 48 cd c9 c9 07 00 00", "Hello"},
    {"7.2.3.4 BFINAL, and a reference to before", "f2 00 11 00 00", "Hello"},
    {"7.2.3.5 two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"},
    {"7.2.3.6 nothing", "00", ""},
    {"nothing, in a fixed block", "02 00", ""},
    {"nothing, BFINAL", "03 00 00", ""},
    {"BFINAL without compression, closed by the tail itself", "01", ""},
    {"BFINAL in the middle", "f3 48 05 00 ca c9 c9 07 00", "Hello"},
    {"BFINAL, without compression", "01 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"},
};

void the_examples_are_inflated(void**) {
    for (const std::size_t piece : {100u, 1u, 3u}) {
        for (const std::size_t room : {100u, 1u, 5u}) {
            Inflater inflater({});
            for (const Example& example : examples) {
                const std::string got = inflated(inflater, hex(example.bytes), piece, room);
                if (got != example.message) {
                    fail_msg("%s, by %zu and %zu: '%s'", example.name, piece, room, got.c_str());
                }
            }
        }
    }
}

void without_takeover_each_message_stands_alone(void**) {
    Inflater inflater({.context_takeover = false});
    for (int i = 0; i < 3; ++i) { assert_bytes_equal(inflated(inflater, hex("f2 48 cd c9 c9 07 00")), "Hello"); }
    assert_bytes_equal(inflated(inflater, hex("f2 00 11 00 00")), "corrupt");
}

void data_that_is_not_deflate_is_corrupt(void**) {
    for (const char* const bytes : {
             "06", "07", "ff ff",                    // block type 3
             "00 05 00 fa fe 48 65 6c 6c 6f 00",     // the two lengths don't agree
             "f2 48 05 00 00 00 ff ff 06",           // after whole blocks
             "f2 00 11 00 00",                       // refers to before the beginning
             "04 ff ff ff ff ff",                    // no code for a length
             "f3 48 cd c9 c9 07 00 f2 00 ff 00 00",  // after BFINAL, too far back
         }) {
        const std::string message = hex(bytes);
        for (const std::size_t piece : {message.size(), std::size_t{1}}) {
            Inflater inflater({});
            const std::string got = inflated(inflater, message, piece, 64);
            if (got != "corrupt") { fail_msg("%s: '%s'", bytes, got.c_str()); }
        }
    }
}

// 7.2.1: the last byte holds the header bits of an empty block without compression; without them the tail can't close it.
void truncated_messages_are_found_at_their_end(void**) {
    for (const Example& example : examples) {
        const std::string whole = hex(example.bytes);
        for (std::size_t n = 0; n < whole.size(); ++n) {
            Inflater inflater({});
            assert_bytes_equal(inflated(inflater, hex("f2 48 cd c9 c9 07 00")), "Hello");
            const std::string got = inflated(inflater, whole.substr(0, n), 1, 64);
            const bool sound_by_chance = whole.substr(0, n) == hex("00") || whole.substr(0, n) == hex("f2 48 05 00") ||
                                         whole.substr(0, n) == hex("01") || whole.substr(0, n) == hex("f3 48 05 00");
            if (got != "cut off" && got != "corrupt" && !sound_by_chance) {
                fail_msg("%s, %zu bytes: '%s'", example.name, n, got.c_str());
            }
        }
    }
    Inflater inflater({});
    assert_bytes_equal(inflated(inflater, hex("f2 48 cd c9 c9 07")), "cut off");
    Inflater no_bytes({});
    assert_bytes_equal(inflated(no_bytes, ""), "cut off");
    Inflater final_block({});
    assert_bytes_equal(inflated(final_block, hex("f3 48 cd c9 c9 07 00")), "cut off");  // 7.2.3.4: 0x00 is missing
}

void an_empty_message_is_one_byte(void**) {
    Deflater deflater({});
    assert_bytes_equal(deflated(deflater, ""), std::string(1, '\0'));
    const std::string hello = deflated(deflater, "Hello");
    assert_bytes_equal(deflated(deflater, ""), std::string(1, '\0'));
    Inflater inflater({});
    assert_bytes_equal(inflated(inflater, hello), "Hello");
    assert_bytes_equal(inflated(inflater, std::string(1, '\0')), "");
}

void the_examples_are_deflated(void**) {
    Deflater deflater({.level = 6});
    assert_bytes_equal(deflated(deflater, "Hello"), hex("f2 48 cd c9 c9 07 00"));  // 7.2.3.1
    assert_bytes_equal(deflated(deflater, "Hello"), hex("f2 00 11 00 00"));        // 7.2.3.2
    Deflater alone({.context_takeover = false, .level = 6});
    assert_bytes_equal(deflated(alone, "Hello"), hex("f2 48 cd c9 c9 07 00"));
    assert_bytes_equal(deflated(alone, "Hello"), hex("f2 48 cd c9 c9 07 00"));
}

// Byte by byte, zlib finds every reference beyond the window of the reading side: none must be made, with 8 bits either.
void messages_come_back_with_every_window_level_and_memory(void**) {
    std::mt19937 random(7692);
    for (std::uint8_t bits = 8; bits <= 15; ++bits) {
        for (int level = 1; level <= 9; ++level) {
            const bool takeover = level % 2 == 1;
            const int mem_level = 10 - level;
            Deflater deflater(
                {.window_bits = bits, .context_takeover = takeover, .level = level, .mem_level = mem_level});
            Inflater inflater({.window_bits = bits, .context_takeover = takeover});
            for (const std::size_t size : {1u, 100u, 5000u, 0u, 20000u, 300u}) {
                const std::string message = size % 200 == 100 ? noise(random, size) : text(random, size);
                assert_bytes_equal(inflated(inflater, deflated(deflater, message), 1, 1), message);
            }
        }
    }
}

void large_messages_come_back(void**) {
    std::mt19937 random(1951);
    Deflater deflater({});
    Inflater inflater({});
    for (const std::size_t size : {16383u, 16384u, 16385u, 65536u, 3000000u}) {
        for (const std::string& message : {text(random, size), noise(random, size), std::string(size, '\0')}) {
            assert_bytes_equal(inflated(inflater, deflated(deflater, message)), message);
        }
    }
}

void a_reference_beyond_the_window_is_corrupt(void**) {
    std::mt19937 random(9);
    const std::string first = noise(random, 2000);
    Deflater deflater({.window_bits = 15, .level = 9});
    Inflater inflater({.window_bits = 9});
    assert_bytes_equal(inflated(inflater, deflated(deflater, first)), first);
    assert_bytes_equal(inflated(inflater, deflated(deflater, first.substr(0, 200))), "corrupt");
}

// Of 8 bits, zlib keeps only what it promises: runs of a byte are found, and nothing that lies further back.
void with_a_window_of_256_bytes_only_runs_are_found(void**) {
    std::mt19937 random(8);
    const std::string part = noise(random, 100);
    Deflater smallest({.window_bits = 8, .level = 9});
    assert_true(deflated(smallest, part + part).size() > 200);
    assert_true(deflated(smallest, std::string(200, 'x')).size() < 10);
    Deflater larger({.window_bits = 9, .level = 9});
    assert_true(deflated(larger, part + part).size() < 150);
}

// 7.1.1: with takeover the receiver must keep the window; the sender may do without.
void released_streams_go_on(void**) {
    std::mt19937 random(11);
    for (const std::uint8_t bits : std::array<std::uint8_t, 4>{8, 9, 12, 15}) {
        for (const bool takeover : {true, false}) {
            Deflater deflater({.window_bits = bits, .context_takeover = takeover, .level = 6});
            Inflater inflater({.window_bits = bits, .context_takeover = takeover});
            const std::string message = text(random, 3000);
            for (int i = 0; i < 30; ++i) {
                if (i % 7 == 6) { deflater.release(); }
                inflater.release();
                inflater.release();
                assert_bytes_equal(inflated(inflater, deflated(deflater, message), 1000, 777), message);
                inflater.release();
                assert_bytes_equal(inflated(inflater, std::string(1, '\0')), "");
            }
        }
    }
}

void a_released_window_is_really_used(void**) {
    Inflater inflater({});
    assert_bytes_equal(inflated(inflater, hex("f2 48 cd c9 c9 07 00")), "Hello");
    inflater.release();
    assert_bytes_equal(inflated(inflater, hex("f2 00 11 00 00")), "Hello");
    inflater.clear();
    assert_bytes_equal(inflated(inflater, hex("f2 00 11 00 00")), "corrupt");
}

void a_release_inside_a_message_does_nothing(void**) {
    for (const bool takeover : {true, false}) {
        Inflater inflater({.context_takeover = takeover});
        inflater.release();
        std::string out;
        for (const char byte : hex("f2 48 cd c9 c9 07 00")) {
            assert_true(inflate_part(inflater, {&byte, 1}, 1, 64, out));
            inflater.release();
        }
        inflater.release();
        assert_true(inflater.end_message());
        assert_bytes_equal(out, "Hello");
    }
}

// A thousand to one: what the caller gives no room for is not inflated.
void a_bomb_is_inflated_only_as_far_as_there_is_room(void**) {
    Deflater deflater({.level = 9});
    const std::string bomb = deflated(deflater, std::string(10 * 1024 * 1024, '\0'));
    assert_true(bomb.size() < 11000);
    Inflater inflater({});
    std::array<char, 1000> memory;
    std::string_view input = bomb;
    for (int i = 0; i < 10; ++i) {
        std::span<char> room(memory);
        assert_true(inflater.inflate(input, room) == Status::full);
        assert_true(room.empty());
    }
    assert_true(input.size() > bomb.size() - 200);
}

void half_a_million_final_blocks_are_nothing(void**) {
    std::string blocks;
    for (int i = 0; i < 500000; ++i) { blocks += hex("03 00"); }
    Inflater inflater({});
    assert_bytes_equal(inflated(inflater, hex("f2 48 cd c9 c9 07 00")), "Hello");
    assert_bytes_equal(inflated(inflater, blocks + '\0'), "");
    assert_bytes_equal(inflated(inflater, hex("f2 00 11 00 00")), "Hello");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_are_inflated),
        cmocka_unit_test(without_takeover_each_message_stands_alone),
        cmocka_unit_test(data_that_is_not_deflate_is_corrupt),
        cmocka_unit_test(truncated_messages_are_found_at_their_end),
        cmocka_unit_test(an_empty_message_is_one_byte),
        cmocka_unit_test(the_examples_are_deflated),
        cmocka_unit_test(messages_come_back_with_every_window_level_and_memory),
        cmocka_unit_test(large_messages_come_back),
        cmocka_unit_test(a_reference_beyond_the_window_is_corrupt),
        cmocka_unit_test(with_a_window_of_256_bytes_only_runs_are_found),
        cmocka_unit_test(released_streams_go_on),
        cmocka_unit_test(a_released_window_is_really_used),
        cmocka_unit_test(a_release_inside_a_message_does_nothing),
        cmocka_unit_test(a_bomb_is_inflated_only_as_far_as_there_is_room),
        cmocka_unit_test(half_a_million_final_blocks_are_nothing),
    };
    return cmocka_run_group_tests_name("websocket deflate", tests, nullptr, nullptr);
}
