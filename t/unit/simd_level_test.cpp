// The loops over bytes, at each level that this machine has: the same as the simplest loop, at every length, on each side of
// a guarded page.
#include <algorithm>

#include "cmocka.hpp"
#include "context/base64.h"
#include "context/escape.h"
#include "context/json.h"
#include "simd/level.h"
#include "websocket/mask.h"
#include "websocket/utf8.h"
#include "websocket_wire.hpp"

using namespace ws::websocket;
using namespace ws::context;
using ws::simd::Level;
using ws::test::assert_bytes_equal;

namespace {

constexpr std::size_t longest = 200;

// The same numbers each time.
std::uint32_t random_numbers() {
    static std::uint64_t state = 1;
    state = state * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::uint32_t>(state >> 33);
}

std::size_t below(std::size_t n) { return random_numbers() % n; }

// Runs at each level in turn.
template <class Check>
void at_each_level(Check check) {
    for (const Level level : {Level::baseline, Level::avx2}) {
        ws::simd::limit(level);
        check();
    }
    ws::simd::limit(ws::simd::detected());
}

// Gives every length, once ending at a guarded page, once beginning behind one.
template <class Check>
void at_each_length(Check check) {
    const wire::Guarded memory(longest);
    for (std::size_t n = 0; n <= longest; ++n) {
        check(memory.end() - n, n);
        check(memory.begin(), n);
    }
}

void a_limit_is_no_more_than_the_machine_has(void**) {
    ws::simd::limit(Level::baseline);
    assert_true(ws::simd::level() == Level::baseline);
    ws::simd::limit(Level::avx2);
    assert_true(ws::simd::level() == ws::simd::detected());
}

void masking_is_the_same(void**) {
    at_each_level([] {
        at_each_length([](char* data, std::size_t n) {
            const std::size_t offset = below(4);
            std::string expected(n, '\0');
            for (std::size_t i = 0; i < n; ++i) {
                data[i] = static_cast<char>(random_numbers());
                expected[i] = static_cast<char>(static_cast<unsigned char>(data[i]) ^ wire::key[(offset + i) % 4]);
            }
            apply_mask(data, n, wire::key, offset);
            assert_bytes_equal({data, n}, expected);
        });
    });
}

void plain_bytes_end_at_the_first_that_needs_an_escape(void**) {
    at_each_level([] {
        at_each_length([](char* data, std::size_t n) {
            static constexpr std::string_view special("\"\\\0\x1f\n", 5);
            static constexpr std::string_view plain(" !#[]\x7f\x80\xff", 8);
            std::generate_n(data, n, [] { return plain[below(plain.size())]; });
            const std::size_t at = below(n + 1);
            if (at < n) { data[at] = special[below(special.size())]; }
            assert_int_equal(plain_run({data, n}), at);
        });
    });
}

void an_escaped_string_reads_back_as_what_it_was(void**) {
    at_each_level([] {
        at_each_length([](char* data, std::size_t n) {
            std::generate_n(data, n, [] { return below(3) == 0 ? static_cast<char>(below(0x80)) : 'x'; });
            std::string text = "[";
            append_utf8_string(text, {data, n});
            assert_int_equal(utf8_string_size({data, n}), text.size() - 1);
            const JsonParse parsed = parse_json(text + "]");
            assert_non_null(parsed.value.get());
            const json_t* const string = json_array_get(parsed.value.get(), 0);
            assert_bytes_equal({json_string_value(string), json_string_length(string)}, {data, n});
        });
    });
}

// More of them than a counter in a place of a vector holds.
void a_long_text_of_nothing_but_escapes_has_its_size(void**) {
    at_each_level([] {
        for (const std::string_view escaped : {R"(\")", R"(\n)", R"(\u0001)", R"(\\)"}) {
            const char c = escaped == R"(\n)" ? '\n' : escaped == R"(\u0001)" ? '\x01' : escaped.back();
            for (const std::size_t n : {255 * 16, 255 * 16 + 1, 255 * 32 + 33, 30'000}) {
                const std::string text(n, c);
                std::string expected;
                for (std::size_t i = 0; i < n; ++i) { expected += escaped; }
                std::string out;
                append_escaped(out, text);
                assert_bytes_equal(out, expected);
                assert_int_equal(escaped_size(text), expected.size());
            }
        }
    });
}

// The validator byte by byte is the one that the vectors of websocket_utf8_test check.
bool valid_byte_by_byte(std::string_view text, std::size_t& fails_at) {
    Utf8Validator utf8;
    for (fails_at = 0; fails_at < text.size(); ++fails_at) {
        if (!utf8.feed(text.substr(fails_at, 1))) { return false; }
    }
    return utf8.complete();
}

void utf8_is_valid_exactly_when_it_is_byte_by_byte(void**) {
    static constexpr std::string_view pieces[] = {
        "a",
        "abcdefgh",
        "\xc3\xa9",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "\xe0\xa0\x80",
        "\xf0\x90\x80\x80",
        "0123456789abcdef0123456789abcdef",
    };
    static constexpr std::string_view wrong[] = {
        "\x80",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xe2\x82",
        "\xc3",
        "\xf0\x9f\x98",
        "\xe2\x28\xa1",
    };
    at_each_level([] {
        const wire::Guarded memory(longest);
        for (int round = 0; round < 20000; ++round) {
            std::string text;
            while (text.size() < below(longest)) { text += pieces[below(std::size(pieces))]; }
            if (below(2) == 0) { text.insert(below(text.size() + 1), wrong[below(std::size(wrong))]); }
            text.resize(std::min(text.size(), longest));
            char* const data = memory.end() - text.size();
            std::ranges::copy(text, data);
            const std::string_view whole(data, text.size());
            const std::size_t cut = below(text.size() + 1);

            std::size_t fails_at = 0;
            const bool valid = valid_byte_by_byte(whole, fails_at);
            Utf8Validator utf8;
            assert_int_equal(utf8.feed(whole.substr(0, cut)), fails_at >= cut);
            assert_int_equal(utf8.feed(whole.substr(cut)), fails_at == text.size());
            assert_int_equal(utf8.complete(), valid);
        }
    });
}

std::string simple_base64(std::string_view bytes) {
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
        const auto byte = [bytes](std::size_t i) {
            return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
        };
        const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
        text += digits[group >> 18];
        text += digits[group >> 12 & 63];
        text += bytes.size() > 1 ? digits[group >> 6 & 63] : '=';
        text += bytes.size() > 2 ? digits[group & 63] : '=';
    }
    return text;
}

void base64_is_the_same_and_reads_back(void**) {
    at_each_level([] {
        at_each_length([](char* data, std::size_t n) {
            std::generate_n(data, n, [] { return static_cast<char>(random_numbers()); });
            std::string text;
            append_base64(text, {data, n});
            assert_bytes_equal(text, simple_base64({data, n}));
            std::string bytes = "<";
            assert_true(append_decoded_base64(bytes, text));
            assert_bytes_equal(bytes, "<" + std::string(data, n));
        });
    });
}

void base64_refuses_every_other_character_anywhere(void**) {
    at_each_level([] {
        std::string text;
        append_base64(text, std::string(72, 'x'));
        for (std::size_t at = 0; at < text.size(); ++at) {
            for (int c = 0; c < 256; ++c) {
                std::string changed = text;
                changed[at] = static_cast<char>(c);
                const bool digit =
                    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
                if (c == '=' && at == text.size() - 1) { continue; }  // padding
                std::string bytes = "<";
                assert_int_equal(append_decoded_base64(bytes, changed), digit);
                if (!digit) { assert_bytes_equal(bytes, "<"); }
            }
        }
    });
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_is_no_more_than_the_machine_has),
        cmocka_unit_test(masking_is_the_same),
        cmocka_unit_test(plain_bytes_end_at_the_first_that_needs_an_escape),
        cmocka_unit_test(an_escaped_string_reads_back_as_what_it_was),
        cmocka_unit_test(a_long_text_of_nothing_but_escapes_has_its_size),
        cmocka_unit_test(utf8_is_valid_exactly_when_it_is_byte_by_byte),
        cmocka_unit_test(base64_is_the_same_and_reads_back),
        cmocka_unit_test(base64_refuses_every_other_character_anywhere),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
