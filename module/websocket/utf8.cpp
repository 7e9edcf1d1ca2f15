#include "websocket/utf8.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "simd/level.h"
#include "simd/vector.h"

namespace ws::websocket {

namespace {

// How many bytes at the front are ASCII, counted in steps of a vector.
template <class Bytes>
[[gnu::always_inline]] inline std::size_t ascii_bytes(const char* data, std::size_t n) noexcept {
    std::size_t i = 0;
    for (; n - i >= sizeof(Bytes); i += sizeof(Bytes)) {
        Bytes bytes;
        simd::load(bytes, data + i);
        const Bytes high = bytes & 0x80;
        if (simd::Words(high).any()) { break; }
    }
    return i;
}

// How far the text is sound, in steps of a vector, from a place between two characters that has three bytes before it.
// Every byte is looked at together with the three before it (RFC 3629 4).
template <class Bytes>
[[gnu::always_inline]] inline std::size_t sound_bytes(const char* data, std::size_t n) noexcept {
    std::size_t i = 0;
    for (; n - i >= sizeof(Bytes); i += sizeof(Bytes)) {
        Bytes now;
        Bytes one;
        Bytes two;
        Bytes three;
        simd::load(now, data + i);
        simd::load(one, data + i - 1);
        simd::load(two, data + i - 2);
        simd::load(three, data + i - 3);
        const auto continues = (now & 0xC0) == 0x80;
        const auto has_to = (one >= 0xC0) | (two >= 0xE0) | (three >= 0xF0);
        const auto impossible = (now >= 0xF5) | ((now & 0xFE) == 0xC0);
        const auto second = ((one == 0xE0) & (now < 0xA0)) | ((one == 0xED) & (now > 0x9F)) |
                            ((one == 0xF0) & (now < 0x90)) | ((one == 0xF4) & (now > 0x8F));
        const auto wrong = (continues ^ has_to) | impossible | second;
        if (simd::Words(wrong).any()) { break; }
    }
    return i;
}

std::size_t ascii_baseline(const char* data, std::size_t n) noexcept { return ascii_bytes<simd::Bytes16>(data, n); }
std::size_t sound_baseline(const char* data, std::size_t n) noexcept { return sound_bytes<simd::Bytes16>(data, n); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::size_t ascii_avx2(const char* data, std::size_t n) noexcept {
    return ascii_bytes<simd::Bytes32>(data, n);
}
[[gnu::target("avx2")]] std::size_t sound_avx2(const char* data, std::size_t n) noexcept {
    return sound_bytes<simd::Bytes32>(data, n);
}
#endif

std::size_t ascii_run(const char* data, std::size_t n) noexcept {
#if defined(__x86_64__)
    if (simd::level() == simd::Level::avx2) { return ascii_avx2(data, n); }
#endif
    return ascii_baseline(data, n);
}

// The same as sound_bytes(), but up to between two characters.
std::size_t sound_run(const char* data, std::size_t n) noexcept {
#if defined(__x86_64__)
    std::size_t run = simd::level() == simd::Level::avx2 ? sound_avx2(data, n) : sound_baseline(data, n);
#else
    std::size_t run = sound_baseline(data, n);
#endif
    // The last character may go on behind: back to where it starts.
    for (std::size_t back = 1; back <= 3 && back <= run; ++back) {
        const auto byte = static_cast<std::uint8_t>(data[run - back]);
        if (byte >= 0xC0) { return run - back; }
        if (byte < 0x80) { break; }
    }
    return run;
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
    for (std::size_t i = 0; i < n && !failed_;) {
        if (pending_ == 0) {
            i += ascii_run(data + i, n - i);
            if (i >= 3) { i += sound_run(data + i, n - i); }
        }
        const std::size_t stop = std::min(n, i + 64);  // then it may be worth a vector again
        while (i < stop && step(static_cast<std::uint8_t>(data[i]))) { ++i; }
    }
    return !failed_;
}

// One byte more. False when it can't be.
bool Utf8Validator::step(std::uint8_t byte) noexcept {
    if (pending_ == 0) {
        failed_ = byte >= 0x80 && !start(byte);
    } else if (byte < low_ || byte > high_) {
        failed_ = true;
    } else {
        --pending_;
        low_ = 0x80;
        high_ = 0xBF;
    }
    return !failed_;
}

}  // namespace ws::websocket
