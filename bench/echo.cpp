// An echo service for WebSocket and HTTP, fast enough to be no part of what is measured.
//
//     echo PORT
//
// The path of the request says what comes: /envelope... gets envelopes and answers with their data, /commands... answers with
// commands, anything else gets frames and sends them back. A POST gets its body back, with its type; in http delivery that is an echo
// of messages, and behind Pushpin one of its WebSocket events.
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "wire.hpp"

using namespace bench;

namespace {

struct Connection {
    int fd;
    enum class Kind { head, raw, envelope, commands } kind = Kind::head;
    Inbox in{};
    std::string out{};
    std::size_t sent = 0;
    bool writing = false;
    bool closing = false;  // the last that it gets is its close frame
};

std::string accept_for(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    unsigned char base64[64];
    const int n = EVP_EncodeBlock(base64, digest, sizeof(digest));
    return {reinterpret_cast<char*>(base64), static_cast<std::size_t>(n)};
}

// The value of a header line, whose name may be in any case; empty without it.
std::string_view value_of(std::string_view head, std::string_view name) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
        const std::string_view line = head.substr(at + 2);
        if (line.size() > name.size() && line[name.size()] == ':' &&
            strncasecmp(line.data(), name.data(), name.size()) == 0) {
            const std::string_view value = line.substr(name.size() + 2);
            return value.substr(0, value.find("\r\n"));
        }
    }
    return {};
}

// False while the request isn't whole.
bool answer_post(Connection& c) {
    const std::string_view data = c.in.view();
    const std::size_t end = data.find("\r\n\r\n");
    if (end == std::string_view::npos) { return false; }
    const std::string_view head = data.substr(0, end + 2);
    const std::string length(value_of(head, "Content-Length"));
    const std::size_t size = std::strtoull(length.c_str(), nullptr, 10);
    if (data.size() < end + 4 + size) { return false; }
    c.out += "HTTP/1.1 200 OK\r\nContent-Type: ";
    c.out += value_of(head, "Content-Type");
    c.out += "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
    c.out += data.substr(end + 4, size);
    c.in.use(end + 4 + size);
    return true;
}

// False while the head isn't whole.
bool answer_head(Connection& c) {
    const std::string_view data = c.in.view();
    const std::size_t end = data.find("\r\n\r\n");
    if (end == std::string_view::npos) { return false; }
    const std::string_view head = data.substr(0, end + 2);
    c.in.use(end + 4);
    static constexpr std::string_view name = "\r\nSec-WebSocket-Key: ";
    const std::size_t at = head.find(name);
    require(at != std::string_view::npos, "an upgrade");
    const std::string_view rest = head.substr(at + name.size());
    c.out += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
             accept_for(rest.substr(0, rest.find("\r\n"))) + "\r\n\r\n";
    const std::string_view path = head.substr(4);
    c.kind = path.starts_with("/envelope")   ? Connection::Kind::envelope
             : path.starts_with("/commands") ? Connection::Kind::commands
                                             : Connection::Kind::raw;
    return true;
}

// The data of a message's envelope, which holds nothing that JSON would escape.
std::string_view data_of(std::string_view envelope) {
    static constexpr std::string_view mark = R"("type":"text","data":")";
    if (!envelope.starts_with(R"({"event":"message",)")) { return {}; }
    const std::size_t at = envelope.find(mark);
    require(at != std::string_view::npos, "an envelope with data");
    return envelope.substr(at + mark.size(), envelope.size() - at - mark.size() - 2);
}

void answer_frame(Connection& c, const Frame& frame) {
    char* payload = c.in.at(frame.payload);
    if (frame.mask != nullptr) { mask(payload, frame.payload.size(), frame.mask); }
    c.closing = frame.opcode == 8;
    if (frame.opcode > 2 || c.kind == Connection::Kind::raw) {
        append_head(c.out, frame.opcode == 9 ? 10 : frame.opcode, frame.payload.size(), false);
        c.out.append(payload, frame.payload.size());
        return;
    }
    const std::string_view data = data_of({payload, frame.payload.size()});
    if (data.empty()) { return; }
    static constexpr std::string_view before = R"({"event":"message","type":"text","data":")";
    const bool command = c.kind == Connection::Kind::commands;
    append_head(c.out, 1, command ? before.size() + data.size() + 2 : data.size(), false);
    if (command) { c.out.append(before); }
    c.out.append(data);
    if (command) { c.out.append(R"("})"); }
}

bool serve(Connection& c) {
    if (!c.in.fill(c.fd)) { return false; }
    if (c.kind == Connection::Kind::head && c.in.view().starts_with("POST ")) {
        while (answer_post(c)) {}
        c.in.settle();
        return true;
    }
    if (c.kind == Connection::Kind::head && !answer_head(c)) { return true; }
    for (auto frame = first_frame(c.in.view()); frame && !c.closing; frame = first_frame(c.in.view())) {
        answer_frame(c, *frame);
        c.in.use(frame->size);
    }
    c.in.settle();
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    require(argc == 2, "a port");
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const sockaddr_in address = loopback(static_cast<std::uint16_t>(std::atoi(argv[1])));
    const int on = 1;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener, 4096) != 0) {
        die("listen");
    }
    const int epoll = epoll_create1(0);
    watch(epoll, listener, EPOLLIN, nullptr, EPOLL_CTL_ADD);
    for (;;) {
        epoll_event events[256];
        const int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; ++i) {
            auto* c = static_cast<Connection*>(events[i].data.ptr);
            if (c == nullptr) {
                for (int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK); fd >= 0;
                     fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) {
                    no_delay(fd);
                    watch(epoll, fd, EPOLLIN, new Connection{.fd = fd}, EPOLL_CTL_ADD);
                }
                continue;
            }
            const bool alive = c->closing || serve(*c);
            const bool waits = !flush(c->fd, c->out, c->sent);
            // RFC 6455 7.1.1: the server is the first to close the TCP connection.
            if (!alive || (c->closing && !waits)) {
                close(c->fd);
                delete c;
                continue;
            }
            if (waits != c->writing) {
                c->writing = waits;
                watch(epoll, c->fd, waits ? EPOLLIN | EPOLLOUT : EPOLLIN, c, EPOLL_CTL_MOD);
            }
        }
    }
}
