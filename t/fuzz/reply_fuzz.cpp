// Whatever a backend replies: each message is a part of the body, text is UTF-8, and their number has a bound.
#include "fuzz.hpp"
#include "relay/reply_messages.h"
#include "websocket/utf8.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

using namespace ws;

// Up to the first line feed the type, then the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t line = std::min(input.find('\n'), input.size());
    const std::string_view body = input.substr(std::min(line + 1, input.size()));
    const auto messages = relay::reply_messages(input.substr(0, line), body);
    if (!messages) { return 0; }
    require(messages->size() <= relay::most_reply_messages);
    const char* end = body.data();
    for (const relay::ReplyMessage& message : *messages) {
        require(message.payload.data() >= end);
        end = message.payload.data() + message.payload.size();
        require(end <= body.data() + body.size());
        websocket::Utf8Validator utf8;
        require(message.type != websocket::Opcode::text || (utf8.feed(message.payload) && utf8.complete()));
    }
    return 0;
}
