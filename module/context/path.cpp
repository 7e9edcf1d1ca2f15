#include "context/path.h"

#include <algorithm>
#include <charconv>

namespace ws::context {

std::optional<std::size_t> array_index(std::string_view step) {
    if (step.size() > 1 && step.front() == '0') return std::nullopt;
    std::size_t index = 0;
    const char* const end = step.data() + step.size();
    const auto [parsed, error] = std::from_chars(step.data(), end, index);
    if (error != std::errc() || parsed != end) return std::nullopt;
    return index;
}

namespace {

bool same_but_case(std::string_view a, std::string_view b) noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

json_t* step_in_any_case(json_t* parent, const std::string& step) {
    if (json_t* const exact = step_into(parent, step)) return exact;
    const char* name = nullptr;
    json_t* value = nullptr;
    json_object_foreach(parent, name, value) {
        if (same_but_case(name, step)) return value;
    }
    return nullptr;
}

}  // namespace

json_t* step_into(json_t* parent, const std::string& step) {
    if (json_is_array(parent)) {
        const auto index = array_index(step);
        return index ? json_array_get(parent, *index) : nullptr;
    }
    // A member's name never holds a NUL: jansson ends names there.
    if (step.find('\0') != std::string::npos) return nullptr;
    return json_object_get(parent, step.c_str());
}

std::vector<std::string> path_steps(json_t* root, std::string_view path) {
    std::string whole(path);
    if (step_into(root, whole) != nullptr) return {std::move(whole)};
    std::vector<std::string> steps;
    for (std::size_t begin = 0;;) {
        const std::size_t dot = path.find('.', begin);
        steps.emplace_back(path.substr(begin, dot - begin));
        if (dot == std::string_view::npos) return steps;
        begin = dot + 1;
    }
}

json_t* find_path(json_t* root, std::string_view path) {
    json_t* value = root;
    for (const std::string& step : path_steps(root, path)) value = step_into(value, step);
    return value;
}

json_t* find_path_in_any_case(json_t* root, std::string_view path) {
    if (json_t* const exact = find_path(root, path)) return exact;
    if (json_t* const whole = step_in_any_case(root, std::string(path))) return whole;
    json_t* value = root;
    for (const std::string& step : path_steps(root, path)) value = step_in_any_case(value, step);
    return value;
}

}  // namespace ws::context
