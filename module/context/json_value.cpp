#include "context/json_value.h"

#include "context/json.h"
#include "context/utf8.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace ws::context {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Walks over a text; each step says whether what it expects was there.
class Walker final {
public:
    explicit Walker(std::string_view text) : rest_(text) {}

    bool value() {
        do {
            if (!element()) return false;
            while (depth_ != 0 && closing()) {}
        } while (depth_ != 0 && next_element());
        space();
        return depth_ == 0 && rest_.empty();
    }

private:
    // A scalar, or an opening bracket with all that comes before its first element; or an empty pair of brackets.
    bool element() {
        for (;;) {
            space();
            const bool object = take('{');
            if (!object && !take('[')) return scalar();
            if (depth_ == max_depth) return false;
            ++depth_;
            objects_ = objects_ << 1 | (object ? 1 : 0);
            if (closing()) return true;
            if (object && !name()) return false;
        }
    }

    // The bracket that closes the innermost array or object.
    bool closing() {
        space();
        if (!take(in_object() ? '}' : ']')) return false;
        --depth_;
        objects_ >>= 1;
        return true;
    }

    bool next_element() { return take(',') && (!in_object() || name()); }

    bool name() {
        space();
        if (!take('"') || !string_rest()) return false;
        space();
        return take(':');
    }

    bool scalar() {
        if (take('"')) return string_rest();
        if (take("true") || take("false") || take("null")) return true;
        return number();
    }

    bool string_rest() {
        for (;;) {
            const auto run_end = std::find_if(rest_.begin(), rest_.end(), [](char c) {
                return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 ||
                       static_cast<unsigned char>(c) >= 0x80;
            });
            rest_.remove_prefix(static_cast<std::size_t>(run_end - rest_.begin()));
            if (take('"')) return true;
            if (take('\\')) {
                if (!escape()) return false;
            } else if (rest_.empty() || static_cast<unsigned char>(rest_.front()) < 0x20 || !take_code_point(rest_)) {
                return false;
            }
        }
    }

    bool escape() {
        if (rest_.empty()) return false;
        const char kind = rest_.front();
        rest_.remove_prefix(1);
        if (kind != 'u') return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
        std::uint16_t unit = 0;
        if (!hex_unit(unit)) return false;
        if (unit < 0xd800 || unit > 0xdfff) return true;
        std::uint16_t low = 0;
        return unit <= 0xdbff && take("\\u") && hex_unit(low) && low >= 0xdc00 && low <= 0xdfff;
    }

    bool hex_unit(std::uint16_t& unit) {
        if (rest_.size() < 4) return false;
        const char* const end = rest_.data() + 4;
        if (std::from_chars(rest_.data(), end, unit, 16).ptr != end) return false;
        rest_.remove_prefix(4);
        return true;
    }

    bool number() {
        const std::string_view begin = rest_;
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            if (!digits()) return false;
        }
        double unused = 0;
        return std::from_chars(begin.data(), rest_.data(), unused).ec == std::errc();
    }

    bool digits() {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_digit);
        const bool some = end != rest_.begin();
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.begin()));
        return some;
    }

    void space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size())); }

    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    bool take(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }

    bool in_object() const { return (objects_ & 1) != 0; }

    std::string_view rest_;
    std::size_t depth_ = 0;
    std::uint64_t objects_ = 0;  // for each open bracket, innermost lowest: is it an object's?
    static_assert(max_depth <= 64);
};

}  // namespace

bool is_json_value(std::string_view text) { return Walker(text).value(); }

}  // namespace ws::context
