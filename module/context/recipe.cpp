#include "context/recipe.h"

#include "context/json.h"
#include "context/path.h"

#include <new>

namespace ws::context {
namespace {

// A field's value is one level deeper in the context than alone.
constexpr std::size_t max_field_depth = max_depth - 1;

BuildError error_of(JsonError error) {
    switch (error) {
        case JsonError::none: return BuildError::none;
        case JsonError::inexact_number: return BuildError::bad_number;
        case JsonError::too_deep: return BuildError::too_deep;
        case JsonError::syntax: break;
    }
    return BuildError::not_json;
}

// Null if `text` isn't UTF-8.
JsonPtr string_from(std::string_view text) {
    return JsonPtr(json_stringn(text.empty() ? "" : text.data(), text.size()));
}

JsonPtr boolean_from(std::string_view text) {
    if (text == "true" || text == "1" || text == "on") return JsonPtr(json_true());
    if (text == "false" || text == "0" || text == "off" || text.empty()) return JsonPtr(json_false());
    return nullptr;
}

// Null if `text` doesn't fit the type.
JsonPtr value_from(std::string_view text, FieldType type) {
    if (type == FieldType::string) return string_from(text);
    if (type == FieldType::boolean) return boolean_from(text);
    JsonPtr value = parse_json(text, max_field_depth).value;
    if (type == FieldType::number && !json_is_number(value.get())) return nullptr;
    return value;
}

// A value of the session as `type`; null if it can't be one.
JsonPtr converted(json_t* value, FieldType type) {
    if (json_is_null(value)) return JsonPtr(json_null());
    if (json_is_string(value)) return value_from({json_string_value(value), json_string_length(value)}, type);
    const bool is_scalar = json_is_number(value) || json_is_boolean(value);
    const bool is_kept = type == FieldType::json || (type == FieldType::number && json_is_number(value)) ||
                         (type == FieldType::boolean && json_is_boolean(value));
    if (is_kept) return JsonPtr(json_incref(value));
    if (!is_scalar || type == FieldType::number) return nullptr;
    std::string text;
    append_json(text, value, Charset::ascii);
    return value_from(text, type);
}

JsonPtr value_of(const FieldValue& field, json_t*) { return value_from(field.value, field.type); }

JsonPtr value_of(const SessionField& field, json_t* session) {
    json_t* const value = find_path(session, field.path);
    if (value == nullptr) return JsonPtr(json_null());
    return field.type ? converted(value, *field.type) : JsonPtr(json_incref(value));
}

// False if `name` can't be a member's name (UTF-8 without NUL for jansson) or there is no value.
bool set_member(json_t* object, const std::string& name, JsonPtr value) {
    if (name.find('\0') != std::string::npos) return false;
    return json_object_set_new(object, name.c_str(), value.release()) == 0;
}

// Places a value where `step` leads in an object, or in an array that is filled up with nulls.
void place(json_t* parent, const std::string& step, JsonPtr value) {
    int failed = 0;
    if (json_is_array(parent)) {
        const std::size_t index = array_index(step).value_or(0);
        while (json_array_size(parent) <= index && failed == 0) failed = json_array_append_new(parent, json_null());
        if (failed == 0) failed = json_array_set_new(parent, index, value.release());
    } else {
        failed = json_object_set_new(parent, step.c_str(), value.release());
    }
    if (failed != 0) throw std::bad_alloc();
}

// What was selected as a whole before belongs to the session as well; a part of it is put where it is already.
void select_path(json_t* result, json_t* session, std::string_view path) {
    if (find_path(session, path) == nullptr) return;
    const std::vector<std::string> steps = path_steps(session, path);
    json_t* from = session;
    json_t* to = result;
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
        from = step_into(from, steps[i]);
        json_t* next = step_into(to, steps[i]);
        if (next == nullptr || json_is_null(next)) {
            place(to, steps[i], allocated(json_is_array(from) ? json_array() : json_object()));
            next = step_into(to, steps[i]);
        }
        to = next;
    }
    place(to, steps.back(), JsonPtr(json_incref(step_into(from, steps.back()))));
}

JsonPtr selected(const Recipe& recipe, json_t* session) {
    if (recipe.select_all) return allocated(json_copy(session));
    JsonPtr result = allocated(json_object());
    for (const std::string& path : recipe.select) select_path(result.get(), session, path);
    return result;
}

BuildResult failure(BuildError error, std::string field = {}) { return {nullptr, error, std::move(field)}; }

}  // namespace

BuildResult Recipe::build(std::string_view session_json, std::span<const Field> fields) const {
    const JsonParse session = parse_json(session_json);
    if (!session.value) return failure(error_of(session.error));
    if (!json_is_object(session.value.get())) return failure(BuildError::not_object);
    return build(session.value.get(), fields);
}

BuildResult Recipe::build(json_t* session, std::span<const Field> fields) const {
    const JsonPtr result = selected(*this, session);
    for (const Field& field : fields) {
        const std::string& name = std::visit([](const auto& f) -> const std::string& { return f.name; }, field);
        JsonPtr value = std::visit([session](const auto& f) { return value_of(f, session); }, field);
        if (!set_member(result.get(), name, std::move(value))) return failure(BuildError::bad_field, name);
    }
    std::string text;
    append_json(text, result.get(), Charset::ascii);
    return {std::shared_ptr<const Context>(new Context(std::move(text))), BuildError::none, {}};
}

}  // namespace ws::context
