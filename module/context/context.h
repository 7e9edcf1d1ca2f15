// The context of a connection: a JSON object made from its session (or null, where a location lets in who has none).
//
// Immutable and shared by all connections of a session; made by Recipe::build, replaced by patched().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ws::context {

class Context final {
public:
    // Of a connection without a session: the text `null`.
    [[nodiscard]] static std::shared_ptr<const Context> null();
    // Of a session of which nothing is known: `{}`.
    [[nodiscard]] static std::shared_ptr<const Context> empty();

    // Compact JSON object: one line, visible ASCII and spaces only (\u escapes), members in their order. Fit for a
    // header and for an envelope.
    [[nodiscard]] std::string_view json() const { return json_; }

    // json() in base64url without padding.
    [[nodiscard]] std::string base64url() const;

    // The value at a path (path.h; nginx knows variables in lower case only, so case doesn't count), for a variable: a string as it is, any other value as compact JSON; nullopt when it
    // is absent or null, and for a string with CR, LF or NUL, which must never reach a header. Parses the text.
    [[nodiscard]] std::optional<std::string> member(std::string_view path) const;

    // This context after a JSON merge patch (RFC 7396). Null if the patch is not a JSON object that parse_json takes.
    [[nodiscard]] std::shared_ptr<const Context> patched(std::string_view merge_patch_json) const;

private:
    friend struct Recipe;
    explicit Context(std::string json) : json_(std::move(json)) {}

    std::string json_;
};

}  // namespace ws::context
