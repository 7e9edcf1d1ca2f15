// Our side of t/differential.t: reads records, prints what the decoder makes of each, a line a record.
//
// A record: a byte of settings (1: from a client, 2: compression, 4: without context takeover), a byte that the sizes of
// pieces are made from, four bytes of length (big-endian), the stream.
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "websocket/decoder.h"

using namespace ws::websocket;

namespace {

constexpr Limits limits{.max_message = 2000, .max_fragments = 8};

std::string hex(std::string_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        out += {digits[value >> 4], digits[value & 15]};
    }
    return out;
}

std::string describe(const Event& event, std::size_t offset) {
    const std::string code = std::to_string(event.code);
    switch (event.kind) {
        case Event::Kind::message: return (event.type == Opcode::text ? "text:" : "binary:") + hex(event.payload);
        case Event::Kind::ping: return "ping:" + hex(event.payload);
        case Event::Kind::pong: return "pong:" + hex(event.payload);
        case Event::Kind::close: return "close:" + code + ":" + hex(event.reason);
        case Event::Kind::violation:
            return "fail:" + code + "\t" + std::string(event.reason) + "\t" + std::to_string(offset);
        case Event::Kind::need_more: break;
    }
    return "?";
}

void decode(std::uint8_t settings, std::uint8_t pieces, std::string stream) {
    Inflater inflater({.context_takeover = (settings & 4) == 0});
    Decoder decoder((settings & 1) != 0 ? Sender::client : Sender::server, limits,
                    (settings & 2) != 0 ? &inflater : nullptr);
    std::string line;
    std::uint32_t state = pieces;
    for (std::size_t at = 0; at < stream.size();) {
        state = state * 1103515245 + 12345;
        const std::size_t size = std::min<std::size_t>(1 + (state >> 16) % (pieces + 1u), stream.size() - at);
        at += size;
        std::span<char> input(stream.data() + at - size, size);
        for (Event event = decoder.next(input); event.kind != Event::Kind::need_more; event = decoder.next(input)) {
            line += (line.empty() ? "" : " ") + describe(event, at - input.size());
        }
        if (size % 3 == 0) { inflater.release(); }
    }
    if (!decoder.at_frame_boundary()) { line += "\tpartial"; }
    std::cout << line << '\n';
}

}  // namespace

int main() {
    const std::string records(std::istreambuf_iterator<char>(std::cin), {});
    for (std::size_t at = 0; at + 6 <= records.size();) {
        const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(records[at + i]); };
        const std::size_t length = static_cast<std::size_t>(byte(2)) << 24 | static_cast<std::size_t>(byte(3)) << 16 |
                                   static_cast<std::size_t>(byte(4)) << 8 | byte(5);
        decode(byte(0), byte(1), records.substr(at + 6, length));
        at += 6 + length;
    }
    return 0;
}
