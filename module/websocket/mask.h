// Masking of client frames (RFC 6455 5.3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ws::websocket {

using MaskKey = std::array<std::uint8_t, 4>;

// Masks or unmasks `n` bytes in place; `offset` is how many bytes of the frame's payload came before them.
// Any alignment; touches nothing outside [data, data + n).
void apply_mask(char* data, std::size_t n, MaskKey key, std::size_t offset) noexcept;

}  // namespace ws::websocket
