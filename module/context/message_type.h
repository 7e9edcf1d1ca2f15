// The kinds of message that envelopes and commands tell apart.
#pragma once

namespace ws::context {

enum class MessageType { text, binary, json };

}  // namespace ws::context
