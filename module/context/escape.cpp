#include "context/escape.h"

#include <array>
#include <cstdint>

#include "simd/level.h"
#include "simd/vector.h"

namespace ws::context {

namespace {

// How a byte stands in a string: its first two bytes, and how many it has.
struct Written {
    std::array<char, 2> begin;
    std::uint16_t size;
};

constexpr auto writings = [] {
    std::array<Written, 256> table{};
    for (std::size_t c = 0; c < table.size(); ++c) {
        table[c] = {{static_cast<char>(c), 0}, 1};
    }
    for (std::size_t c = 0; c < 0x20; ++c) {
        table[c] = {{'\\', 'u'}, 6};
    }
    const auto shorten = [&table](char c, char letter) { table[static_cast<std::uint8_t>(c)] = {{'\\', letter}, 2}; };
    shorten('"', '"');
    shorten('\\', '\\');
    shorten('\b', 'b');
    shorten('\f', 'f');
    shorten('\n', 'n');
    shorten('\r', 'r');
    shorten('\t', 't');
    return table;
}();

const Written& writing_of(char c) noexcept { return writings[static_cast<std::uint8_t>(c)]; }

// Where one is that needs escaping, more are near: so many bytes are taken one by one.
constexpr std::size_t piece_size = 256;
constexpr std::size_t escape_size = 6;  // of the longest

template <class Bytes>
[[gnu::always_inline]] inline std::size_t plain_bytes(const char* data, std::size_t n) noexcept {
    std::size_t i = 0;
    for (; n - i >= sizeof(Bytes); i += sizeof(Bytes)) {
        Bytes bytes;
        simd::load(bytes, data + i);
        const auto special = (bytes < 0x20) | (bytes == '"') | (bytes == '\\');
        if (const simd::Words found(special); found.any()) { return i + found.first(); }
    }
    while (i < n && !needs_escape(data[i])) { ++i; }
    return i;
}

template <class Bytes>
[[gnu::always_inline]] inline std::size_t sum(const Bytes& bytes) noexcept {
    std::size_t total = 0;
    for (std::size_t i = 0; i < sizeof bytes; ++i) { total += bytes[i]; }
    return total;
}

// By how much it grows.
template <class Bytes>
[[gnu::always_inline]] inline std::size_t growth_of_bytes(const char* data, std::size_t n) noexcept {
    std::size_t growth = 0;
    std::size_t i = 0;
    while (n - i >= sizeof(Bytes)) {
        Bytes of_two{};  // how many have a short escape, counted in each place of a vector, which goes to 255
        Bytes of_six{};
        for (int rounds = 255; rounds > 0 && n - i >= sizeof(Bytes); --rounds, i += sizeof(Bytes)) {
            Bytes bytes;
            simd::load(bytes, data + i);
            const auto two = (bytes == '"') | (bytes == '\\') | ((bytes >= '\b') & (bytes <= '\r') & (bytes != '\v'));
            const auto six = (bytes < 0x20) & ~two;
            of_two -= reinterpret_cast<const Bytes&>(two);
            of_six -= reinterpret_cast<const Bytes&>(six);
        }
        growth += sum(of_two) + sum(of_six) * (escape_size - 1);
    }
    for (; i < n; ++i) { growth += writing_of(data[i]).size - 1u; }
    return growth;
}

std::size_t growth_baseline(const char* data, std::size_t n) noexcept {
    return growth_of_bytes<simd::Bytes16>(data, n);
}

std::size_t plain_baseline(const char* data, std::size_t n) noexcept { return plain_bytes<simd::Bytes16>(data, n); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::size_t plain_avx2(const char* data, std::size_t n) noexcept {
    return plain_bytes<simd::Bytes32>(data, n);
}

[[gnu::target("avx2")]] std::size_t growth_avx2(const char* data, std::size_t n) noexcept {
    return growth_of_bytes<simd::Bytes32>(data, n);
}
#endif

// Of quotes and the like there may be any number anywhere: they cost no branch. Returns the end of what is written.
char* write_escaped(char* to, std::string_view piece) noexcept {
    static constexpr std::string_view hex_digits = "0123456789abcdef";
    for (const char c : piece) {
        const Written written = writing_of(c);
        std::memcpy(to, written.begin.data(), written.begin.size());
        if (written.size > written.begin.size()) [[unlikely]] {
            const auto byte = static_cast<std::uint8_t>(c);
            const char digits[] = {'0', '0', hex_digits[byte >> 4], hex_digits[byte & 15]};
            std::memcpy(to + written.begin.size(), digits, sizeof digits);
        }
        to += written.size;
    }
    return to;
}

}  // namespace

std::size_t plain_run(std::string_view text) noexcept {
#if defined(__x86_64__)
    if (simd::level() == simd::Level::avx2) { return plain_avx2(text.data(), text.size()); }
#endif
    return plain_baseline(text.data(), text.size());
}

void append_escaped(std::string& out, std::string_view text) {
    for (;;) {
        const std::size_t run = plain_run(text);
        out.append(text.substr(0, run));
        if (run == text.size()) { return; }
        text.remove_prefix(run);
        const std::string_view piece = text.substr(0, piece_size);
        char escaped[piece_size * escape_size + 1];  // of a byte two are written, and one of them counts
        out.append(escaped, write_escaped(escaped, piece));
        text.remove_prefix(piece.size());
    }
}

std::size_t escaped_size(std::string_view text) noexcept {
    const std::string_view rest = text.substr(plain_run(text));
    if (rest.empty()) { return text.size(); }
#if defined(__x86_64__)
    if (simd::level() == simd::Level::avx2) { return text.size() + growth_avx2(rest.data(), rest.size()); }
#endif
    return text.size() + growth_baseline(rest.data(), rest.size());
}

}  // namespace ws::context
