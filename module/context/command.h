// What a backend may ask for with ws_envelope_replies on: one JSON object per message.
#pragma once

#include "context/message_type.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace ws::context {

// {"event":"message","type":"text|binary|json","data":…}: send this to the client. The type is text if not given.
struct MessageCommand {
    MessageType type = MessageType::text;
    std::string data;  // the payload: UTF-8 for text, decoded bytes for binary, compact JSON in UTF-8 for json
};

// {"event":"context","context":{…}}: change the context.
struct ContextCommand {
    std::string merge_patch;  // a JSON object for Context::patched
};

// {"event":"close","code":4000,"reason":"bye"}: close the client's connection.
struct CloseCommand {
    std::uint16_t code = 1000;  // one that may be sent: 1000-1003, 1007-1014, 3000-4999
    std::string reason;         // UTF-8, at most 123 bytes (RFC 6455 5.5.1)
};

struct InvalidCommand {
    std::string_view why;  // fixed text, for the log
};

using Command = std::variant<MessageCommand, ContextCommand, CloseCommand, InvalidCommand>;

// Unknown members are ignored; an unknown event, a member of the wrong type or missing data is invalid.
[[nodiscard]] Command parse_command(std::string_view text);

// The same for `text` that is valid UTF-8, with a short way for what most commands are.
[[nodiscard]] Command parse_text_command(std::string_view text);

}  // namespace ws::context
