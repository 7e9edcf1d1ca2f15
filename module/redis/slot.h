// Which of a cluster's slots a command belongs to (Redis Cluster specification, "Key distribution model" and "Hash tags").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ws::redis {

constexpr unsigned slot_count = 16384;

// CRC-16/XMODEM.
[[nodiscard]] std::uint16_t crc16(std::string_view data) noexcept;

[[nodiscard]] unsigned key_slot(std::string_view key) noexcept;

// The command's key: its first argument, or for EVAL, FCALL and their kin the first key behind their number. Nothing if it has none.
[[nodiscard]] std::optional<std::string_view> command_key(std::span<const std::string_view> argv) noexcept;

}  // namespace ws::redis
