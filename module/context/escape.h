// A text as it stands in a JSON string (RFC 8259 7): only quotes, backslashes and control bytes change.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ws::context {

[[nodiscard]] constexpr bool needs_escape(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// How many bytes at the front of `text` stand in a JSON string as they are: no quote, backslash or control byte.
[[nodiscard]] std::size_t plain_run(std::string_view text) noexcept;

void append_escaped(std::string& out, std::string_view text);
// How many bytes that makes.
[[nodiscard]] std::size_t escaped_size(std::string_view text) noexcept;

}  // namespace ws::context
