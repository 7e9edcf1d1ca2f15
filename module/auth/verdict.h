// What a hook answers, for hooks in C++.
#pragma once

#include <cstdint>
#include <string_view>

#include "auth/ws_auth_hook.h"

namespace ws::auth {

using Verdict = ws_auth_verdict_t;

[[nodiscard]] inline ws_auth_text_t text(std::string_view text) noexcept { return {text.size(), text.data()}; }

[[nodiscard]] inline std::string_view view(const ws_auth_text_t& text) noexcept { return {text.data, text.len}; }

// The verdict has views of what it is made of.
[[nodiscard]] inline Verdict allowed(std::string_view session, std::int64_t expires = 0, bool cached = false) noexcept {
    return {WS_AUTH_ALLOWED, text(session), {}, expires, cached ? 1U : 0U};
}

[[nodiscard]] inline Verdict refused(ws_auth_status_t status, std::string_view detail) noexcept {
    return {status, {}, text(detail), 0, 0};
}

}  // namespace ws::auth
