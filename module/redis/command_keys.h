// Which arguments of a command are keys: a cluster sends it to their node, and Redis reports their changes.
#pragma once

#include <span>
#include <string_view>

namespace ws::redis {

// For a script or a function (EVAL, EVALSHA, FCALL and their kin) as many as it declares, for anything else the first argument.
[[nodiscard]] std::span<const std::string_view> command_keys(std::span<const std::string_view> argv) noexcept;

// Does the answer depend on these keys alone, so that what Redis reports about them tells each change? A script may read others,
// and nothing is known here of what modules add.
[[nodiscard]] bool reads_its_keys_only(std::span<const std::string_view> argv) noexcept;

// May a lookup be this command? Not if it changes what the connection is, blocks it, or is a common one that writes.
[[nodiscard]] bool may_look_up(std::string_view verb) noexcept;

// EVAL, EVALSHA, FCALL and their kin: their second argument is the number of keys.
[[nodiscard]] bool is_script(std::string_view verb) noexcept;

}  // namespace ws::redis
