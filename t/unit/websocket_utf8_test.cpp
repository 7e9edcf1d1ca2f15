// RFC 6455 8.1 and RFC 3629.
#include "cmocka.hpp"

#include "websocket/utf8.h"
#include "websocket_wire.hpp"

using namespace ws::websocket;

namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);

struct Vector {
    const char* name;
    const char* bytes;     // hex
    bool complete;         // when all of them are possible
    std::size_t fails_at;  // the byte that no valid text could have there
};

constexpr Vector vectors[] = {
    {"empty", "", true, none},
    {"ASCII, NUL included", "00 41 7f", true, none},
    {"RFC 3629 7: U+0041 U+2262 U+0391 U+002E", "41 e2 89 a2 ce 91 2e", true, none},
    {"RFC 3629 7: Korean", "ed 95 9c ea b5 ad ec 96 b4", true, none},
    {"RFC 3629 7: byte order mark and U+233B4", "ef bb bf f0 a3 8e b4", true, none},
    {"first of two bytes U+0080", "c2 80", true, none},
    {"last of two bytes U+07FF", "df bf", true, none},
    {"first of three bytes U+0800", "e0 a0 80", true, none},
    {"before the surrogates U+D7FF", "ed 9f bf", true, none},
    {"after the surrogates U+E000", "ee 80 80", true, none},
    {"noncharacter U+FFFF is allowed", "ef bf bf", true, none},
    {"first of four bytes U+10000", "f0 90 80 80", true, none},
    {"last code point U+10FFFF", "f4 8f bf bf", true, none},
    {"ends after a lead of two", "c3", false, none},
    {"ends after two of three", "e2 89", false, none},
    {"ends after three of four", "f0 a3 8e", false, none},
    {"continuation without lead", "41 80", false, 1},
    {"overlong NUL", "c0 80", false, 0},
    {"overlong in two bytes", "c1 bf", false, 0},
    {"overlong in three bytes", "e0 9f bf", false, 1},
    {"overlong in four bytes", "f0 8f bf bf", false, 1},
    {"first surrogate U+D800", "ed a0 80", false, 1},
    {"last surrogate U+DFFF", "ed bf bf", false, 1},
    {"above U+10FFFF", "f4 90 80 80", false, 1},
    {"lead f5", "f5 80 80 80", false, 0},
    {"lead ff", "ff", false, 0},
    {"ASCII inside a character", "e2 89 41", false, 2},
    {"lead inside a character", "e2 c3 a9", false, 1},
};

void expect(const Vector& vector, const std::string& bytes, std::size_t fails_at, std::size_t piece) {
    Utf8Validator validator;
    std::size_t fed = 0;
    bool valid = true;
    wire::deliver(bytes, piece, [&](std::span<char> now) {
        valid = validator.feed({now.data(), now.size()});
        fed += now.size();
        if (valid != (fails_at == none || fed <= fails_at)) {
            fail_msg("%s: after %zu bytes in pieces of %zu: %d", vector.name, fed, piece, valid);
        }
    });
    if (validator.complete() != vector.complete) {
        fail_msg("%s: complete() in pieces of %zu: %d", vector.name, piece, validator.complete());
    }
}

// With ASCII in front, so that the character falls on each place relative to the steps of eight, and ASCII behind, unless
// the character is to stay incomplete.
void vectors_hold_in_every_place_and_fail_at_the_first_impossible_byte(void**) {
    for (const Vector& vector : vectors) {
        for (std::size_t pad = 0; pad <= 17; ++pad) {
            const bool incomplete = !vector.complete && vector.fails_at == none;
            const std::string bytes =
                std::string(pad, 'a') + wire::hex(vector.bytes) + std::string(incomplete ? 0 : 16, 'z');
            const std::size_t fails_at = vector.fails_at == none ? none : pad + vector.fails_at;
            wire::each_way(bytes, [&](std::size_t piece) { expect(vector, bytes, fails_at, piece); });
        }
    }
}

std::string encode(unsigned code_point) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | (code_point >> shift & 0x3F)); };
    if (code_point < 0x80) { return {static_cast<char>(code_point)}; }
    if (code_point < 0x800) { return {static_cast<char>(0xC0 | code_point >> 6), tail(0)}; }
    if (code_point < 0x10000) { return {static_cast<char>(0xE0 | code_point >> 12), tail(6), tail(0)}; }
    return {static_cast<char>(0xF0 | code_point >> 18), tail(12), tail(6), tail(0)};
}

void every_code_point_but_the_surrogates_is_valid(void**) {
    for (unsigned code_point = 0; code_point < 0x110100; ++code_point) {
        const bool expected = code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
        Utf8Validator validator;
        const bool valid = validator.feed(encode(code_point)) && validator.complete();
        if (valid != expected) { fail_msg("U+%04X: %d", code_point, valid); }
    }
}

// All pairs of bytes, and no others than the pairs that start or are a character, are possible.
void every_pair_of_bytes_is_judged_as_rfc_3629_4_says(void**) {
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            const bool tail = b >= 0x80 && b <= 0xBF;
            const bool lead = b < 0x80 || (b >= 0xC2 && b <= 0xF4);
            const bool expected = a < 0x80    ? lead
                                  : a < 0xC2  ? false
                                  : a == 0xE0 ? b >= 0xA0 && tail
                                  : a == 0xED ? b <= 0x9F && tail
                                  : a == 0xF0 ? b >= 0x90 && tail
                                  : a == 0xF4 ? b <= 0x8F && tail
                                  : a < 0xF5  ? tail
                                              : false;
            const char bytes[] = {static_cast<char>(a), static_cast<char>(b)};
            if (Utf8Validator{}.feed({bytes, 2}) != expected) { fail_msg("%02x %02x: expected %d", a, b, expected); }
        }
    }
}

void failure_lasts_until_reset(void**) {
    Utf8Validator validator;
    assert_false(validator.feed("\xff"));
    assert_false(validator.feed("fine"));
    assert_false(validator.complete());
    validator.reset();
    assert_true(validator.feed("fine"));
    assert_true(validator.complete());
}

void reset_inside_a_character_forgets_it(void**) {
    Utf8Validator validator;
    assert_true(validator.feed("\xe0"));
    validator.reset();
    assert_true(validator.complete());
    assert_true(validator.feed("\xc2\x80"));
    assert_true(validator.complete());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold_in_every_place_and_fail_at_the_first_impossible_byte),
        cmocka_unit_test(every_code_point_but_the_surrogates_is_valid),
        cmocka_unit_test(every_pair_of_bytes_is_judged_as_rfc_3629_4_says),
        cmocka_unit_test(failure_lasts_until_reset),
        cmocka_unit_test(reset_inside_a_character_forgets_it),
    };
    return cmocka_run_group_tests_name("websocket utf8", tests, nullptr, nullptr);
}
