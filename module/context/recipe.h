// How a location makes a context from a session: which of its members, and which fields besides.
#pragma once

#include "context/context.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

struct json_t;

namespace ws::context {

enum class FieldType {
    string,
    number,   // a JSON number
    boolean,  // true, 1, on; false, 0, off, and the empty text
    json,     // any JSON value
};

// A field whose text comes from outside of the session (an nginx variable).
struct FieldValue {
    std::string name;
    FieldType type = FieldType::string;
    std::string value;
};

// A field that is a value of the session; null if the session has none at `path`. It keeps its JSON type unless one is
// given: string takes strings, numbers and booleans; number and boolean take their own kind and strings (and boolean the
// numbers 0 and 1) as FieldType says; json parses a string and keeps anything else. Null stays null.
struct SessionField {
    std::string name;
    std::string path;  // see path.h
    std::optional<FieldType> type;
};

using Field = std::variant<FieldValue, SessionField>;

enum class BuildError {
    none,
    not_json,    // the session: see json.h for what is refused besides bad syntax
    bad_number,  // the session holds a number that can't be kept exactly
    not_object,
    bad_field,  // a field's value doesn't fit its type
    too_deep,   // the session is nested deeper than max_depth
};

struct BuildResult {
    std::shared_ptr<const Context> context;  // null unless error is none
    BuildError error = BuildError::none;
    std::string field;  // the name of the bad field
};

struct Recipe {
    bool select_all = true;
    std::vector<std::string> select;  // paths; used if select_all is false

    // The members of the session (as they stand, or in the order of `select`), then `fields` in their order; a field with
    // the name of a member that is already there replaces its value in place. A selected path keeps its structure:
    // user.id gives {"user":{"id":…}}, roles.1 gives {"roles":[null,…]}; what the session hasn't is left out.
    // The caller limits the size of the session.
    [[nodiscard]] BuildResult build(std::string_view session_json, std::span<const Field> fields) const;

private:
    BuildResult build(json_t* session, std::span<const Field> fields) const;
};

}  // namespace ws::context
