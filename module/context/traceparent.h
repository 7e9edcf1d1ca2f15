// The header `traceparent` of W3C Trace Context: which trace a request belongs to.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ws::context {

// The value that goes on for the one that came: itself if it is of version 00; for one of a later version, what version 00
// knows of it (its ids, and whether it is sampled). Nothing if it is invalid.
[[nodiscard]] std::optional<std::string> accepted_traceparent(std::string_view text);

// A trace that begins here. Its ids, of 16 and 8 bytes, are these random bytes.
inline constexpr std::size_t traceparent_entropy = 24;
[[nodiscard]] std::string new_traceparent(std::span<const unsigned char, traceparent_entropy> random, bool sampled);

}  // namespace ws::context
