#include "context/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/level.h"
#include "simd/vector.h"

namespace ws::context {
namespace {

constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> digit_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::size_t i = 0; i < standard.size(); ++i) {
        values[static_cast<unsigned char>(standard[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}();

// Three bytes at a time; how many, of `n`.
std::size_t encode_groups(char* to, const char* bytes, std::size_t n, std::string_view alphabet) {
    const auto byte = [bytes](std::size_t i) -> std::uint32_t { return static_cast<unsigned char>(bytes[i]); };
    std::size_t i = 0;
    for (; n - i >= 3; i += 3) {
        const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        *to++ = alphabet[group >> 18];
        *to++ = alphabet[group >> 12 & 63];
        *to++ = alphabet[group >> 6 & 63];
        *to++ = alphabet[group & 63];
    }
    return i;
}

#if defined(__x86_64__)
// Twelve bytes at a time, each three of them in the four bytes of a word; reads four more.
[[gnu::target("avx2")]] std::size_t encode_avx2(char* to, const char* bytes, std::size_t n, std::string_view alphabet) {
    using Bytes = simd::Bytes16;
    using Words [[gnu::vector_size(16)]] = std::uint32_t;
    const auto last = static_cast<std::uint8_t>('0' - 52 - ('a' - 26));  // from small letters to digits
    const auto plus = static_cast<std::uint8_t>(alphabet[62] - 62 - ('0' - 52));
    const auto slash = static_cast<std::uint8_t>(alphabet[63] - 63 - (alphabet[62] - 62));
    std::size_t i = 0;
    for (; n - i >= sizeof(Bytes); i += 12, to += sizeof(Bytes)) {
        Bytes in;
        std::memcpy(&in, bytes + i, sizeof in);
        const Bytes spread = __builtin_shufflevector(in, in, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
        const auto words = reinterpret_cast<Words>(spread);
        const auto digits = reinterpret_cast<Bytes>((words >> 10 & 0x3f) | (words << 4 & 0x3f00) |
                                                    (words >> 6 & 0x3f0000) | (words << 8 & 0x3f000000));
        const Bytes text = digits + 'A' + (reinterpret_cast<Bytes>(digits > 25) & ('a' - 26 - 'A')) +
                           (reinterpret_cast<Bytes>(digits > 51) & last) +
                           (reinterpret_cast<Bytes>(digits > 61) & plus) +
                           (reinterpret_cast<Bytes>(digits > 62) & slash);
        std::memcpy(to, &text, sizeof text);
    }
    return i;
}

// Sixteen digits at a time, as far as they are digits; writes four bytes more than they stand for.
[[gnu::target("avx2")]] std::size_t decode_avx2(char* to, const char* text, std::size_t n) {
    using Bytes = simd::Bytes16;
    using Words [[gnu::vector_size(16)]] = std::uint32_t;
    std::size_t i = 0;
    // Some are left for the loop behind this one, so that there is room for what is written too much.
    for (; n - i >= 2 * sizeof(Bytes); i += sizeof(Bytes), to += 12) {
        Bytes in;
        simd::load(in, text + i);
        const auto upper = reinterpret_cast<Bytes>((in >= 'A') & (in <= 'Z'));
        const auto lower = reinterpret_cast<Bytes>((in >= 'a') & (in <= 'z'));
        const auto digit = reinterpret_cast<Bytes>((in >= '0') & (in <= '9'));
        const auto plus = reinterpret_cast<Bytes>(in == '+');
        const auto slash = reinterpret_cast<Bytes>(in == '/');
        const Bytes other = ~(upper | lower | digit | plus | slash);
        if (simd::Words(other).any()) { break; }
        const Bytes values = in - (upper & 'A') - (lower & ('a' - 26)) + (digit & (52 - '0')) + (plus & (62 - '+')) +
                             (slash & (63 - '/'));
        const auto words = reinterpret_cast<Words>(values);
        const auto groups = reinterpret_cast<Bytes>((words << 18 & 0xfc0000) | (words << 4 & 0x3f000) |
                                                    (words >> 10 & 0xfc0) | (words >> 24));
        const Bytes out = __builtin_shufflevector(groups, groups, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 3, 3, 3, 3);
        std::memcpy(to, &out, sizeof out);
    }
    return i;
}
#endif

void append_digits(std::string& out, std::string_view bytes, std::string_view alphabet, bool padded) {
    const auto byte = [bytes](std::size_t i) -> std::uint32_t { return static_cast<unsigned char>(bytes[i]); };
    const std::size_t left = bytes.size() % 3;
    const std::size_t whole = bytes.size() - left;
    const std::size_t tail = left == 0 ? 0 : (padded ? 4 : left + 1);
    const std::size_t begin = out.size();
    out.resize(begin + whole / 3 * 4 + tail, '=');
    char* to = out.data() + begin;
    std::size_t done = 0;
#if defined(__x86_64__)
    if (simd::level() == simd::Level::avx2) { done = encode_avx2(to, bytes.data(), bytes.size(), alphabet); }
#endif
    encode_groups(to + done / 3 * 4, bytes.data() + done, whole - done, alphabet);
    to += whole / 3 * 4;
    if (left == 0) return;
    const std::uint32_t group = byte(whole) << 16 | (left == 2 ? byte(whole + 1) << 8 : 0);
    *to++ = alphabet[group >> 18];
    *to++ = alphabet[group >> 12 & 63];
    if (left == 2) *to = alphabet[group >> 6 & 63];
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) { append_digits(out, bytes, standard, true); }

void append_base64url(std::string& out, std::string_view bytes) { append_digits(out, bytes, url_safe, false); }

bool append_decoded_base64(std::string& out, std::string_view text) {
    if (text.size() % 4 != 0) return false;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    text.remove_suffix(padding);
    const std::size_t before = out.size();
    out.resize(before + text.size() * 3 / 4);
    char* to = out.data() + before;
#if defined(__x86_64__)
    if (simd::level() == simd::Level::avx2) {
        const std::size_t done = decode_avx2(to, text.data(), text.size());
        text.remove_prefix(done);
        to += done / 4 * 3;
    }
#endif
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const std::uint32_t digit = digit_values[static_cast<unsigned char>(c)];
        if (digit == no_digit) {
            out.resize(before);
            return false;
        }
        bits = (bits << 6 | digit) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *to++ = static_cast<char>(bits >> count & 0xff);
        }
    }
    const bool canonical = (bits & ((1U << count) - 1)) == 0;
    if (!canonical) out.resize(before);
    return canonical;
}

}  // namespace ws::context
