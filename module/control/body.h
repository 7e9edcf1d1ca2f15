// What a command for one connection has to be like, wherever it comes from.
#pragma once

#include <optional>
#include <string_view>

#include "context/command.h"

namespace ws::control {

// The code may stand in a close frame (RFC 6455 7.4), and the reason fits and is UTF-8 (5.5, 8.1).
[[nodiscard]] bool may_close_with(const context::CloseCommand& close) noexcept;

// What is wrong with a message's data or a merge patch, if anything: a sentence for the asker.
[[nodiscard]] std::optional<std::string_view> refuse_body(const context::Command& command);

}  // namespace ws::control
