// Is a message one JSON value? Answered without building it.
#pragma once

#include <string_view>

namespace ws::context {

// Exactly one valid JSON value (RFC 8259) in valid UTF-8, white space around it allowed, that common parsers take:
// at most max_depth levels, no lone surrogate escape, no number outside the range of a double.
[[nodiscard]] bool is_json_value(std::string_view text);

}  // namespace ws::context
