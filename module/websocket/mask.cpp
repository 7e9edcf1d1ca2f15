#include "websocket/mask.h"

#include <cstring>

namespace ws::websocket {

void apply_mask(char* data, std::size_t n, MaskKey key, std::size_t offset) noexcept {
    std::array<unsigned char, sizeof(std::uint64_t)> pattern;
    for (std::size_t i = 0; i < pattern.size(); ++i) { pattern[i] = key[(offset + i) % key.size()]; }
    std::uint64_t wide_key;
    std::memcpy(&wide_key, pattern.data(), sizeof wide_key);

    std::size_t i = 0;
    for (; n - i >= sizeof wide_key; i += sizeof wide_key) {
        std::uint64_t word;  // memcpy: the compiler makes one unaligned load of it
        std::memcpy(&word, data + i, sizeof word);
        word ^= wide_key;
        std::memcpy(data + i, &word, sizeof word);
    }
    for (; i < n; ++i) {
        data[i] = static_cast<char>(static_cast<unsigned char>(data[i]) ^ pattern[i % pattern.size()]);
    }
}

}  // namespace ws::websocket
