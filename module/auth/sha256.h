// SHA-256, for stores that keep a token's hash instead of the token.
#pragma once

#include <string>
#include <string_view>

namespace ws::auth {

// In lower case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace ws::auth
