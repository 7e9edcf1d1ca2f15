// JSON text to jansson values and back, with nothing altered silently.
//
// Jansson keeps integers of 64 bits and doubles. A text with a number that would come out as another number (an integer
// beyond 64 bits, a real that no double stands for) is refused. A real may change its spelling (1.50 is
// written as 1.5, 1e2 as 100.0) but neither its value nor its being a real. Also refused: duplicate member names, lone
// surrogates, a member name with \u0000.
#pragma once

#include <jansson.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace ws::context {

struct JsonRelease {
    void operator()(json_t* value) const { json_decref(value); }
};
using JsonPtr = std::unique_ptr<json_t, JsonRelease>;

// Levels of nesting accepted anywhere. With an envelope around it a context stays within 64, which is the least that
// common parsers take by default.
inline constexpr std::size_t max_depth = 63;

enum class JsonError { none, syntax, inexact_number, too_deep };

struct JsonParse {
    JsonPtr value;  // null unless error is none
    JsonError error = JsonError::none;
};

// Exactly one JSON value of any type, nested at most `levels` deep (a scalar is level 0).
[[nodiscard]] JsonParse parse_json(std::string_view text, std::size_t levels = max_depth);

// Owns what a jansson constructor returned; throws bad_alloc for null.
[[nodiscard]] JsonPtr allocated(json_t* value);

enum class Charset { ascii, utf8 };

// Appends compact JSON on one line, members in their order; with Charset::ascii everything else is a \u escape.
void append_json(std::string& out, json_t* value, Charset charset);

// Appends `text` as a quoted JSON string of ASCII; `text` may hold any bytes, invalid UTF-8 becomes U+FFFD.
void append_ascii_string(std::string& out, std::string_view text);

// Appends `text`, which must be valid UTF-8, as a quoted JSON string; only quotes, backslashes and control bytes change.
void append_utf8_string(std::string& out, std::string_view text);
// How many bytes that makes.
[[nodiscard]] std::size_t utf8_string_size(std::string_view text) noexcept;

}  // namespace ws::context
