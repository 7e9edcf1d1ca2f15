#include "websocket/subprotocol.h"

#include <algorithm>

#include "websocket/header_value.h"

namespace ws::websocket {

std::optional<std::vector<std::string_view>> offered_subprotocols(std::span<const std::string_view> lines) {
    std::vector<std::string_view> names;
    for (std::string_view rest : lines) {
        while (!rest.empty()) {
            const std::string_view name = next_element(rest);
            if (name.empty()) { continue; }
            if (!is_token(name) || std::ranges::find(names, name) != names.end()) { return std::nullopt; }
            names.push_back(name);
        }
    }
    return names;
}

bool valid_subprotocol_answer(std::span<const std::string_view> lines,
                              std::span<const std::string_view> offered) noexcept {
    if (lines.empty()) { return true; }
    return lines.size() == 1 && std::ranges::find(offered, trim(lines[0])) != offered.end();
}

}  // namespace ws::websocket
