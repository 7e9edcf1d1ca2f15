#include "redis/slot.h"

#include <algorithm>
#include <array>

namespace ws::redis {

namespace {

constexpr std::array<std::uint16_t, 256> make_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < table.size(); ++byte) {
        unsigned crc = byte << 8;
        for (int bit = 0; bit < 8; ++bit) { crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1; }
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

constexpr std::array<std::uint16_t, 256> table = make_table();

bool same_word(std::string_view a, std::string_view upper) noexcept {
    return std::equal(a.begin(), a.end(), upper.begin(), upper.end(),
                      [](char x, char y) { return (x >= 'a' && x <= 'z' ? x - 'a' + 'A' : x) == y; });
}

}  // namespace

std::uint16_t crc16(std::string_view data) noexcept {
    unsigned crc = 0;
    for (const char c : data) { crc = (crc << 8 ^ table[(crc >> 8 ^ static_cast<unsigned char>(c)) & 0xff]) & 0xffff; }
    return static_cast<std::uint16_t>(crc);
}

// What stands between the first { and the next } counts alone, unless that is nothing.
unsigned key_slot(std::string_view key) noexcept {
    if (const std::size_t open = key.find('{'); open != std::string_view::npos) {
        const std::size_t close = key.find('}', open + 1);
        if (close != std::string_view::npos && close > open + 1) { key = key.substr(open + 1, close - open - 1); }
    }
    return crc16(key) % slot_count;
}

std::optional<std::string_view> command_key(std::span<const std::string_view> argv) noexcept {
    if (argv.size() < 2) { return std::nullopt; }
    for (const std::string_view verb : {"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"}) {
        if (!same_word(argv[0], verb)) { continue; }
        if (argv.size() < 4 || argv[2] == "0") { return std::nullopt; }
        return argv[3];
    }
    return argv[1];
}

}  // namespace ws::redis
