// The messages that the body of a reply holds: one, or, as multipart/mixed (RFC 2046 5.1), any number.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "websocket/frame.h"

namespace ws::relay {

struct ReplyMessage {
    websocket::Opcode type = websocket::Opcode::binary;  // text for text/*, application/json and ...+json
    std::string_view payload{};                          // of the body; text is valid UTF-8

    bool operator==(const ReplyMessage&) const = default;
};

inline constexpr std::size_t most_reply_messages = 1000;

// An empty body is no message; an empty part is an empty one. A part without a type is text (RFC 2046 5.1). None when the body is
// not what its type says: text that isn't UTF-8, parts that don't end, more than most_reply_messages.
[[nodiscard]] std::optional<std::vector<ReplyMessage>> reply_messages(std::string_view content_type,
                                                                      std::string_view body);

}  // namespace ws::relay
