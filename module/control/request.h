// What an operator may ask about connections, wherever in the cluster they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "context/command.h"

namespace ws::control {

// 32 lower-case hexadecimal digits.
[[nodiscard]] bool is_id(std::string_view text) noexcept;
// 64 of them: a session's name is the SHA-256 of its token ($ws_token_sha256).
[[nodiscard]] bool is_session_name(std::string_view text) noexcept;

// A context whose value at `path` (context/path.h) is `value`: a string as it is, any other value as compact JSON.
struct Filter {
    std::string path;
    std::string value;
    friend bool operator==(const Filter&, const Filter&) = default;
};

// Connections of a session, and with all of these values in their context. Empty: all connections.
struct Selection {
    std::string session;  // its name; empty: any
    std::vector<Filter> filters;

    [[nodiscard]] bool empty() const noexcept { return session.empty() && filters.empty(); }
    // `context` is a JSON object, or empty.
    [[nodiscard]] bool matches(std::string_view of_session, std::string_view context) const;
    friend bool operator==(const Selection&, const Selection&) = default;
};

inline constexpr std::size_t max_filters = 8;
inline constexpr std::size_t max_limit = 1000;

// A page of connections, in the order of their ids, from the first one after `after`.
struct List {
    Selection selection;
    std::string after;  // an id, or empty
    std::size_t limit = 100;
};

struct Look {
    std::string id;
};

// One connection is sent a message, closed, or given another context.
struct Act {
    std::string id;
    context::Command command;  // not invalid
};

struct CloseAll {
    Selection selection;  // not empty
    context::CloseCommand close;
};

using Request = std::variant<List, Look, Act, CloseAll>;

}  // namespace ws::control
