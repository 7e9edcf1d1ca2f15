#include "context/plain_message.h"

#include "context/escape.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace ws::context {
namespace {

void append_utf8(std::string& out, char32_t c) {
    const auto byte = [&out](char32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
    if (c < 0x80) {
        byte(c);
    } else if (c < 0x800) {
        byte(0xc0 | c >> 6);
        byte(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        byte(0xe0 | c >> 12);
        byte(0x80 | (c >> 6 & 0x3f));
        byte(0x80 | (c & 0x3f));
    } else {
        byte(0xf0 | c >> 18);
        byte(0x80 | (c >> 12 & 0x3f));
        byte(0x80 | (c >> 6 & 0x3f));
        byte(0x80 | (c & 0x3f));
    }
}

// Each step says whether what it expects was there.
class Reader final {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    [[nodiscard]] bool take(char c) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size()));
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    [[nodiscard]] bool at_end() const { return rest_.find_first_not_of(" \t\n\r") == std::string_view::npos; }

    // A string without escapes.
    [[nodiscard]] std::optional<std::string_view> word() {
        if (!take('"')) return std::nullopt;
        const std::size_t run = plain_run(rest_);
        if (run == rest_.size() || rest_[run] != '"') return std::nullopt;
        const std::string_view found = rest_.substr(0, run);
        rest_.remove_prefix(run + 1);
        return found;
    }

    // Any string.
    [[nodiscard]] bool string(std::string& out) {
        if (!take('"')) return false;
        out.reserve(rest_.size());
        for (;;) {
            const std::size_t run = plain_run(rest_);
            out.append(rest_, 0, run);
            rest_.remove_prefix(run);
            if (rest_.empty()) return false;
            const char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') return true;
            if (c != '\\' || !escape(out)) return false;
        }
    }

private:
    bool escape(std::string& out) {
        static constexpr std::string_view names = "\"\\/bfnrt";
        static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (rest_.empty()) return false;
        const char kind = rest_.front();
        rest_.remove_prefix(1);
        if (kind != 'u') {
            const std::size_t at = names.find(kind);
            if (at == std::string_view::npos) return false;
            out += meanings[at];
            return true;
        }
        std::uint16_t unit = 0;
        if (!hex(unit)) return false;
        char32_t c = unit;
        if (unit >= 0xd800 && unit <= 0xdfff) {
            std::uint16_t low = 0;
            if (unit > 0xdbff || !rest_.starts_with("\\u")) return false;
            rest_.remove_prefix(2);
            if (!hex(low) || low < 0xdc00 || low > 0xdfff) return false;
            c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
        }
        append_utf8(out, c);
        return true;
    }

    bool hex(std::uint16_t& unit) {
        if (rest_.size() < 4) return false;
        const char* const end = rest_.data() + 4;
        if (std::from_chars(rest_.data(), end, unit, 16).ptr != end) return false;
        rest_.remove_prefix(4);
        return true;
    }

    std::string_view rest_;
};

}  // namespace

std::optional<std::string> plain_text_message(std::string_view text) {
    Reader reader(text);
    std::optional<std::string_view> event;
    std::optional<std::string_view> type;
    std::optional<std::string> data;
    if (!reader.take('{')) return std::nullopt;
    do {
        const auto name = reader.word();
        if (!name || !reader.take(':')) return std::nullopt;
        if (name == "data" && !data) {
            if (!reader.string(data.emplace())) return std::nullopt;
        } else if (name == "event" && !event) {
            if (event = reader.word(); event != "message") return std::nullopt;
        } else if (name == "type" && !type) {
            if (type = reader.word(); type != "text") return std::nullopt;
        } else {
            return std::nullopt;
        }
    } while (reader.take(','));
    if (!reader.take('}') || !reader.at_end() || !event) return std::nullopt;
    return data;
}

}  // namespace ws::context
