// Where a session token may come from besides a cookie, and what it may look like.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ws::context {

inline constexpr std::size_t max_token_size = 4096;

// May this text become part of a Redis key? 1 to max_token_size bytes of visible ASCII (0x21 to 0x7e),
// without quotes and backslashes, which servers take off or keep as they like (RFC 6265 4.1.1 has no double quote and no
// backslash in a cookie's value).
[[nodiscard]] bool valid_token(std::string_view token);

enum class ArgumentStatus {
    absent,
    found,
    duplicate,  // the name occurs more than once, percent-encoded spellings included
    malformed,  // the value holds a broken percent escape
};

struct ArgumentResult {
    ArgumentStatus status = ArgumentStatus::absent;
    std::string value;  // percent-decoded, any bytes; empty unless found
};

// An argument of a query string (without its '?'). A '+' stays a '+'. An argument without '=' has an empty value.
[[nodiscard]] ArgumentResult find_argument(std::string_view query, std::string_view name);

// A query string with "-" for the values of these arguments, however their names are spelled.
[[nodiscard]] std::string without_values(std::string_view query, std::span<const std::string_view> names);

// The token of "Authorization: Bearer <token>" (RFC 6750 2.1, the scheme in any case); nullopt for anything else.
[[nodiscard]] std::optional<std::string_view> bearer_token(std::string_view authorization);

}  // namespace ws::context
