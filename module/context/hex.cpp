#include "context/hex.h"

#include <cstddef>

namespace ws::context {

void append_hex(std::string& out, std::span<const unsigned char> bytes) {
    const std::size_t before = out.size();
    out.resize(before + 2 * bytes.size());
    write_hex(out.data() + before, bytes);
}

void write_hex(char* out, std::span<const unsigned char> bytes) noexcept {
    static constexpr char digits[] = "0123456789abcdef";
    for (const unsigned char byte : bytes) {
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
}

}  // namespace ws::context
