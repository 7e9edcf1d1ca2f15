#include "context/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

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

void append_digits(std::string& out, std::string_view bytes, std::string_view alphabet, bool padded) {
    const auto byte = [bytes](std::size_t i) -> std::uint32_t { return static_cast<unsigned char>(bytes[i]); };
    const std::size_t left = bytes.size() % 3;
    const std::size_t whole = bytes.size() - left;
    const std::size_t tail = left == 0 ? 0 : (padded ? 4 : left + 1);
    const std::size_t begin = out.size();
    out.resize(begin + whole / 3 * 4 + tail, '=');
    char* to = out.data() + begin;
    for (std::size_t i = 0; i < whole; i += 3) {
        const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        *to++ = alphabet[group >> 18];
        *to++ = alphabet[group >> 12 & 63];
        *to++ = alphabet[group >> 6 & 63];
        *to++ = alphabet[group & 63];
    }
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
    const std::size_t before = out.size();
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text.substr(0, text.size() - padding)) {
        const std::uint32_t digit = digit_values[static_cast<unsigned char>(c)];
        if (digit == no_digit) {
            out.resize(before);
            return false;
        }
        bits = (bits << 6 | digit) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xff);
        }
    }
    const bool canonical = (bits & ((1U << count) - 1)) == 0;
    if (!canonical) out.resize(before);
    return canonical;
}

}  // namespace ws::context
