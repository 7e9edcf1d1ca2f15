// What the load and the echo service need of HTTP and WebSocket: as little as is right between two ends that know each other.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

[[noreturn]] inline void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

inline void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "expected %s\n", what);
        std::exit(1);
    }
}

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline void no_delay(int fd) {
    const int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) { die("TCP_NODELAY"); }
}

struct Frame {
    unsigned opcode;
    std::string_view payload;  // as on the wire
    const char* mask;          // four bytes, or null
    std::size_t size;          // of all of it
};

// The first frame of `data`, when it is whole.
inline std::optional<Frame> first_frame(std::string_view data) {
    if (data.size() < 2) { return std::nullopt; }
    const auto byte = [data](std::size_t i) { return static_cast<unsigned char>(data[i]); };
    std::uint64_t length = byte(1) & 0x7f;
    const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    const std::size_t mask = (byte(1) & 0x80) != 0 ? 4 : 0;
    const std::size_t head = 2 + extended + mask;
    if (data.size() < head) { return std::nullopt; }
    if (extended != 0) {
        length = 0;
        for (std::size_t i = 0; i < extended; ++i) { length = length << 8 | byte(2 + i); }
    }
    if (data.size() - head < length) { return std::nullopt; }
    return Frame{byte(0) & 0x0fu, data.substr(head, length), mask != 0 ? data.data() + 2 + extended : nullptr,
                 head + static_cast<std::size_t>(length)};
}

inline void append_head(std::string& out, unsigned opcode, std::size_t length, bool masked) {
    const unsigned mask = masked ? 0x80 : 0;
    out.push_back(static_cast<char>(0x80 | opcode));
    const std::size_t extended = length < 126 ? 0 : length < 65536 ? 2 : 8;
    out.push_back(static_cast<char>(mask | (extended == 0 ? length : extended == 2 ? 126u : 127u)));
    for (std::size_t i = extended; i-- > 0;) { out.push_back(static_cast<char>(length >> (8 * i))); }
}

inline void mask(char* data, std::size_t size, const char* key) {
    std::uint32_t once;
    std::memcpy(&once, key, 4);
    const std::uint64_t twice = static_cast<std::uint64_t>(once) << 32 | once;
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, data + i, 8);
        word ^= twice;
        std::memcpy(data + i, &word, 8);
    }
    for (; i < size; ++i) { data[i] = static_cast<char>(data[i] ^ key[i % 4]); }
}

// Always with the same key, which is none that a gateway could treat in a special way, as one of zeros would be.
inline void append_masked(std::string& out, unsigned opcode, std::string_view payload) {
    static constexpr std::string_view key = "\x37\xfa\x21\x3d";
    append_head(out, opcode, payload.size(), true);
    out.append(key);
    out.append(payload);
    mask(out.data() + out.size() - payload.size(), payload.size(), key.data());
}

// Bytes of a stream that are not used up yet.
class Inbox {
public:
    // False at the end of the stream.
    bool fill(int fd) {
        static char buffer[256 * 1024];
        for (;;) {
            const ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
            if (n > 0) {
                data_.append(buffer, static_cast<std::size_t>(n));
                if (static_cast<std::size_t>(n) < sizeof(buffer)) { return true; }
                continue;
            }
            return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        }
    }
    [[nodiscard]] std::string_view view() const { return std::string_view(data_).substr(used_); }
    [[nodiscard]] char* at(std::string_view part) { return data_.data() + (part.data() - data_.data()); }
    void use(std::size_t n) { used_ += n; }
    void settle() {
        data_.erase(0, used_);
        used_ = 0;
    }

private:
    std::string data_;
    std::size_t used_ = 0;
};

// Bytes that have to go out. True when all are gone.
inline bool flush(int fd, std::string& out, std::size_t& sent) {
    while (sent < out.size()) {
        const ssize_t n = send(fd, out.data() + sent, out.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0) {
            if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) { return false; }
            break;  // gone: the reader will see it
        }
        sent += static_cast<std::size_t>(n);
    }
    out.clear();
    sent = 0;
    return true;
}

inline void watch(int epoll, int fd, std::uint32_t events, void* owner, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = owner;
    if (epoll_ctl(epoll, operation, fd, &event) != 0) { die("epoll_ctl"); }
}

}  // namespace bench
