// What a decoder gives, as one line of text.
#pragma once

#include "websocket/decoder.h"

#include <string>

#include "cmocka.hpp"
#include "websocket_wire.hpp"

namespace wire {

inline std::string describe(const ws::websocket::Event& event) {
    using Kind = ws::websocket::Event::Kind;
    switch (event.kind) {
        case Kind::need_more: return "";
        case Kind::message:
            return (event.type == ws::websocket::Opcode::text ? "[text " : "[binary ") + std::string(event.payload) +
                   "]";
        case Kind::ping: return "[ping " + std::string(event.payload) + "]";
        case Kind::pong: return "[pong " + std::string(event.payload) + "]";
        case Kind::close: return "[close " + std::to_string(event.code) + " " + std::string(event.reason) + "]";
        case Kind::violation: return "[violation " + std::to_string(event.code) + " " + std::string(event.reason) + "]";
    }
    return "[?]";
}

// All events that `bytes` give, in pieces that end at a guarded page.
inline std::string events(ws::websocket::Decoder& decoder, std::string_view bytes, std::size_t piece) {
    std::string line;
    deliver(bytes, piece, [&](std::span<char> input) {
        for (;;) {
            const ws::websocket::Event event = decoder.next(input);
            line += describe(event);
            if (event.kind == ws::websocket::Event::Kind::need_more) { break; }
        }
        assert_int_equal(input.size(), 0);
    });
    return line;
}

}  // namespace wire
