#include "websocket/utf8.h"

#include <cstddef>
#include <cstring>

namespace ws::websocket {

namespace {

// How many bytes at the front are ASCII, counted in steps of eight.
std::size_t ascii_run(const char* data, std::size_t n) noexcept {
    constexpr std::uint64_t high_bits = 0x8080808080808080;
    std::size_t i = 0;
    for (; n - i >= sizeof(std::uint64_t); i += sizeof(std::uint64_t)) {
        std::uint64_t word;
        std::memcpy(&word, data + i, sizeof word);
        if ((word & high_bits) != 0) { break; }
    }
    return i;
}

}  // namespace

// RFC 3629 4: what may come after each lead byte.
bool Utf8Validator::start(std::uint8_t lead) noexcept {
    low_ = 0x80;
    high_ = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {  // C0 and C1 could only start overlong forms
        pending_ = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        pending_ = 2;
        if (lead == 0xE0) {
            low_ = 0xA0;  // shorter forms are overlong
        } else if (lead == 0xED) {
            high_ = 0x9F;  // above are the surrogates
        }
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        pending_ = 3;
        if (lead == 0xF0) {
            low_ = 0x90;  // shorter forms are overlong
        } else if (lead == 0xF4) {
            high_ = 0x8F;  // U+10FFFF is the last code point
        }
    } else {
        return false;
    }
    return true;
}

bool Utf8Validator::feed(std::string_view piece) noexcept {
    const char* const data = piece.data();
    const std::size_t n = piece.size();
    std::size_t i = 0;
    while (i < n && !failed_) {
        if (pending_ == 0) {
            i += ascii_run(data + i, n - i);
            if (i == n) { break; }
        }
        const auto byte = static_cast<std::uint8_t>(data[i++]);
        if (pending_ == 0) {
            failed_ = byte >= 0x80 && !start(byte);
        } else if (byte < low_ || byte > high_) {
            failed_ = true;
        } else {
            --pending_;
            low_ = 0x80;
            high_ = 0xBF;
        }
    }
    return !failed_;
}

}  // namespace ws::websocket
