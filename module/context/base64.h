// Base64 (RFC 4648).
#pragma once

#include <string>
#include <string_view>

namespace ws::context {

// Appends the standard alphabet with padding (section 4).
void append_base64(std::string& out, std::string_view bytes);

// Appends the URL-safe alphabet without padding (section 5).
void append_base64url(std::string& out, std::string_view bytes);

// Appends the bytes that append_base64 would write exactly as `text`. False, with `out` as it was, if there are none:
// other characters, missing padding, bits set beyond the last byte (section 3.5).
[[nodiscard]] bool append_decoded_base64(std::string& out, std::string_view text);

}  // namespace ws::context
