// The command that nearly all are, {"event":"message","type":"text","data":"…"}, read without building it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ws::context {

// The data of a text message, if `text` (valid UTF-8) is one in a plain form: an object whose members are event, type and data,
// each once at most, in any order, each a string, with event "message" and type, if any, "text". Nullopt says
// nothing: parse_command() looks at everything else.
[[nodiscard]] std::optional<std::string> plain_text_message(std::string_view text);

}  // namespace ws::context
