// The grammar that header values have in common (RFC 9110 5.6): blanks, tokens, lists.
#pragma once

#include <string_view>

namespace ws::websocket {

// 5.6.2: tchar.
[[nodiscard]] bool is_token_character(char c) noexcept;
// 5.6.2: what names of headers, cookies and subprotocols are made of. Never empty.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

// Two texts of the same length: letters of ASCII in any case.
[[nodiscard]] bool same_letters(std::string_view a, std::string_view b) noexcept;

// Letters of ASCII in any case. Most texts that are compared have another length, or end otherwise, which is seen where it is asked.
[[nodiscard]] inline bool same_text(std::string_view a, std::string_view b) noexcept {
    constexpr char between_cases = 'a' ^ 'A';
    if (a.size() != b.size()) { return false; }
    return a.empty() || ((a.back() | between_cases) == (b.back() | between_cases) && same_letters(a, b));
}

// Without blanks around it (5.6.3).
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

// Takes the first element off a comma-separated list (5.6.1), trimmed; empty ones, which a reader has to bear, included.
[[nodiscard]] std::string_view next_element(std::string_view& list) noexcept;

}  // namespace ws::websocket
