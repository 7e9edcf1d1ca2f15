#include "context/hex.h"

namespace ws::context {

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
    for (const unsigned char byte : bytes) {
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
}

}  // namespace ws::context
