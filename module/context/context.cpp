#include "context/context.h"

#include "context/base64.h"
#include "context/json.h"
#include "context/path.h"

#include <new>

namespace ws::context {
namespace {

// RFC 7396 2. Consumes `target`, which may be null for an absent value.
JsonPtr merged(JsonPtr target, json_t* patch) {
    if (!json_is_object(patch)) return JsonPtr(json_incref(patch));
    if (!json_is_object(target.get())) target = allocated(json_object());
    const char* name = nullptr;
    json_t* value = nullptr;
    json_object_foreach(patch, name, value) {
        if (json_is_null(value)) {
            json_object_del(target.get(), name);
            continue;
        }
        JsonPtr member = merged(JsonPtr(json_incref(json_object_get(target.get(), name))), value);
        if (json_object_set_new(target.get(), name, member.release()) != 0) throw std::bad_alloc();
    }
    return target;
}

}  // namespace

std::shared_ptr<const Context> Context::null() { return std::shared_ptr<const Context>(new Context("null")); }

std::shared_ptr<const Context> Context::empty() { return std::shared_ptr<const Context>(new Context("{}")); }

std::string Context::base64url() const {
    std::string encoded;
    append_base64url(encoded, json_);
    return encoded;
}

std::optional<std::string> Context::member(std::string_view path) const {
    const JsonParse parsed = parse_json(json_);
    json_t* const value = find_path_in_any_case(parsed.value.get(), path);
    if (value == nullptr || json_is_null(value)) return std::nullopt;
    std::string text;
    if (!json_is_string(value)) {
        append_json(text, value, Charset::ascii);
        return text;
    }
    text.assign(json_string_value(value), json_string_length(value));
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return std::nullopt;
    return text;
}

std::shared_ptr<const Context> Context::patched(std::string_view merge_patch_json) const {
    const JsonParse patch = parse_json(merge_patch_json);
    if (!json_is_object(patch.value.get())) return nullptr;
    const JsonPtr result = merged(parse_json(json_).value, patch.value.get());
    std::string text;
    append_json(text, result.get(), Charset::ascii);
    return std::shared_ptr<const Context>(new Context(std::move(text)));
}

}  // namespace ws::context
