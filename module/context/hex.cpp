#include "context/hex.h"

#include <cstddef>

namespace ws::context {

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    const std::size_t before = out.size();
    out.resize(before + 2 * bytes.size());
    char* at = out.data() + before;
    for (const unsigned char byte : bytes) {
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
}

}  // namespace ws::context
