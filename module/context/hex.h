// Bytes as hexadecimal digits, in lower case.
#pragma once

#include <span>
#include <string>

namespace ws::context {

void append_hex(std::string& out, std::span<const unsigned char> bytes);

// Two digits for each byte, from `out` on.
void write_hex(char* out, std::span<const unsigned char> bytes) noexcept;

}  // namespace ws::context
