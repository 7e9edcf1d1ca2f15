// Percent-encoding (RFC 3986 2.1), as URLs and cookies have it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ws::context {

// Any bytes; a '+' stays a '+'. Nothing if an escape is broken.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace ws::context
