// How the WebSocket tests write bytes down and deliver them.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "websocket/frame.h"

namespace wire {

// "81 05 48" as bytes; blanks are free.
inline std::string hex(std::string_view digits) {
    std::string bytes;
    int high = -1;
    for (const char c : digits) {
        if (c == ' ') { continue; }
        const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        if (high < 0) {
            high = value;
        } else {
            bytes.push_back(static_cast<char>(high << 4 | value));
            high = -1;
        }
    }
    return bytes;
}

// The key of the examples in RFC 6455 5.7.
inline constexpr ws::websocket::MaskKey key{0x37, 0xfa, 0x21, 0x3d};

// A frame written byte by byte, independent of the code under test: `first` is FIN, RSV and opcode as on the wire.
inline std::string frame(ws::websocket::Sender sender, unsigned first, std::string_view payload) {
    const bool masked = sender == ws::websocket::Sender::client;
    const unsigned mask_bit = masked ? 0x80 : 0;
    std::string out(1, static_cast<char>(first));
    const std::size_t n = payload.size();
    const int length_bytes = n < 126 ? 0 : n < 65536 ? 2 : 8;
    out.push_back(static_cast<char>(mask_bit | (length_bytes == 0 ? n : length_bytes == 2 ? 126u : 127u)));
    for (int i = length_bytes - 1; i >= 0; --i) { out.push_back(static_cast<char>(n >> (8 * i))); }
    if (masked) { out.append(key.begin(), key.end()); }
    for (std::size_t i = 0; i < n; ++i) {
        out.push_back(static_cast<char>(masked ? payload[i] ^ key[i % 4] : payload[i]));
    }
    return out;
}

inline std::string client(unsigned first, std::string_view payload) {
    return frame(ws::websocket::Sender::client, first, payload);
}

inline std::string server(unsigned first, std::string_view payload) {
    return frame(ws::websocket::Sender::server, first, payload);
}

// Memory with a page that must not be touched on either side.
class Guarded {
public:
    explicit Guarded(std::size_t capacity) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        size_ = (std::max<std::size_t>(capacity, 1) + page - 1) / page * page;
        mapped_ = size_ + 2 * page;
        base_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (base_ == MAP_FAILED || mprotect(base_ + page, size_, PROT_READ | PROT_WRITE) != 0) { std::abort(); }
        begin_ = base_ + page;
    }
    ~Guarded() { munmap(base_, mapped_); }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;

    [[nodiscard]] char* begin() const { return begin_; }
    [[nodiscard]] char* end() const { return begin_ + size_; }

    // A copy of `bytes` whose last byte is the last before the guard.
    std::span<char> put(std::string_view bytes) const {
        char* const at = end() - bytes.size();
        std::copy(bytes.begin(), bytes.end(), at);
        return {at, bytes.size()};
    }

private:
    char* base_;
    char* begin_;
    std::size_t size_;
    std::size_t mapped_;
};

// Calls `feed` with the bytes in pieces of `piece` bytes, each ending at a guard.
template <typename Feed>
void deliver(std::string_view bytes, std::size_t piece, Feed feed) {
    const Guarded memory(piece);
    while (!bytes.empty()) {
        const std::string_view now = bytes.substr(0, piece);
        bytes.remove_prefix(now.size());
        feed(memory.put(now));
    }
}

// Every vector is delivered whole, byte by byte, and in pieces that fall between.
template <typename Check>
void each_way(std::string_view bytes, Check check) {
    for (const std::size_t piece : {bytes.size(), std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
        check(std::max<std::size_t>(piece, 1));
    }
}

}  // namespace wire
