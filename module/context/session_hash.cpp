#include "context/session_hash.h"

#include "context/json.h"

namespace ws::context {

std::optional<std::string> object_of_strings(std::span<const std::pair<std::string_view, std::string_view>> fields) {
    const JsonPtr object = allocated(json_object());
    for (const auto& [name, value] : fields) {
        // Jansson's names end at a NUL, and it takes no null for an empty text.
        if (name.find('\0') != std::string_view::npos) { return std::nullopt; }
        json_t* string = json_stringn(value.empty() ? "" : value.data(), value.size());
        if (json_object_set_new(object.get(), std::string(name).c_str(), string) != 0) { return std::nullopt; }
    }
    std::string text;
    append_json(text, object.get(), Charset::utf8);
    return text;
}

}  // namespace ws::context
