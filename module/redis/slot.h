// Which of a cluster's slots a key belongs to (Redis Cluster specification, "Key distribution model" and "Hash tags").
#pragma once

#include <cstdint>
#include <string_view>

namespace ws::redis {

constexpr unsigned slot_count = 16384;

// CRC-16/XMODEM.
[[nodiscard]] std::uint16_t crc16(std::string_view data) noexcept;

[[nodiscard]] unsigned key_slot(std::string_view key) noexcept;

}  // namespace ws::redis
