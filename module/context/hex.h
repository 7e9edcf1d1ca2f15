// Bytes as hexadecimal digits, in lower case.
#pragma once

#include <span>
#include <string>

namespace ws::context {

void append_hex(std::string& out, std::span<const unsigned char> bytes);

}  // namespace ws::context
