// Dotted paths into a JSON object: "user.id", "roles.0" (an array index is a decimal number without leading zeros).
#pragma once

#include <jansson.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ws::context {

// The value at `path`, borrowed from `root`, or null. A member of `root` whose name is the whole path wins, so that
// "a.b" finds a member called "a.b" before it looks for b in a.
[[nodiscard]] json_t* find_path(json_t* root, std::string_view path);

// The same where upper and lower case may differ, in ASCII: for names that have lost theirs. An exact match comes first.
[[nodiscard]] json_t* find_path_in_any_case(json_t* root, std::string_view path);

// The steps find_path takes to reach its value: one, if the whole path is a member's name.
[[nodiscard]] std::vector<std::string> path_steps(json_t* root, std::string_view path);

// The array index that a step stands for, if it can be one.
[[nodiscard]] std::optional<std::size_t> array_index(std::string_view step);

// The member of an object, or the element of an array, that one step leads to; borrowed, or null.
[[nodiscard]] json_t* step_into(json_t* parent, const std::string& step);

}  // namespace ws::context
