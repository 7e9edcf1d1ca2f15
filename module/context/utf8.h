// One code point of UTF-8 at a time (RFC 3629), for text whose validity isn't known.
#pragma once

#include <optional>
#include <string_view>

namespace ws::context {

// Takes the first code point off `rest`, which must not be empty. Nullopt if there is no valid one: then one byte is gone.
[[nodiscard]] std::optional<char32_t> take_code_point(std::string_view& rest);

}  // namespace ws::context
