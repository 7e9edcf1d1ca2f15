// A session that is a hash.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ws::context {

// Its fields as the text of a JSON object of strings. Nothing if a value isn't UTF-8, or a name isn't or has a NUL in it.
[[nodiscard]] std::optional<std::string> object_of_strings(
    std::span<const std::pair<std::string_view, std::string_view>> fields);

}  // namespace ws::context
