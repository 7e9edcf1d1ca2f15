#include "redis/slot.h"

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

}  // namespace ws::redis
