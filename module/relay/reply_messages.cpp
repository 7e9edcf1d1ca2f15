#include "relay/reply_messages.h"

#include <algorithm>
#include <string>

#include "websocket/header_value.h"
#include "websocket/utf8.h"

namespace ws::relay {

using websocket::same_text;
using websocket::trim;

namespace {

constexpr std::string_view crlf = "\r\n";

std::string_view media_type(std::string_view content_type) noexcept {
    return trim(content_type.substr(0, content_type.find(';')));
}

bool is_text(std::string_view type) noexcept {
    static constexpr std::string_view text = "text/";
    static constexpr std::string_view json = "+json";
    return same_text(type.substr(0, text.size()), text) || same_text(type, "application/json") ||
           (type.size() > json.size() && same_text(type.substr(type.size() - json.size()), json));
}

bool is_utf8(std::string_view text) noexcept {
    websocket::Utf8Validator utf8;
    return utf8.feed(text) && utf8.complete();
}

std::optional<ReplyMessage> message(std::string_view content_type, std::string_view payload) noexcept {
    if (!is_text(media_type(content_type))) { return ReplyMessage{websocket::Opcode::binary, payload}; }
    if (!is_utf8(payload)) { return std::nullopt; }
    return ReplyMessage{websocket::Opcode::text, payload};
}

// RFC 2046 5.1.1: 1 to 70 characters, as a token or in quotes. Empty if there is none.
std::string_view boundary(std::string_view content_type) noexcept {
    static constexpr std::string_view name = "boundary=";
    static constexpr std::size_t longest = 70;
    for (std::size_t at = content_type.find(';'); at != std::string_view::npos; at = content_type.find(';')) {
        content_type = trim(content_type.substr(at + 1));
        if (!same_text(content_type.substr(0, name.size()), name)) { continue; }
        std::string_view value = content_type.substr(name.size());
        if (value.starts_with('"')) {
            value.remove_prefix(1);
            value = value.substr(0, value.find('"'));
        } else {
            value = trim(value.substr(0, value.find(';')));
        }
        return value.size() <= longest ? value : std::string_view{};
    }
    return {};
}

// Takes a part's header lines off its front: the type that they name. None when they don't end.
std::optional<std::string_view> take_part_type(std::string_view& part) noexcept {
    static constexpr std::string_view name = "content-type:";
    std::string_view type = "text/plain";
    for (;;) {
        const std::size_t end = part.find(crlf);
        if (end == std::string_view::npos) { return std::nullopt; }
        const std::string_view line = part.substr(0, end);
        part.remove_prefix(end + crlf.size());
        if (line.empty()) { return type; }
        if (same_text(line.substr(0, name.size()), name)) { type = trim(line.substr(name.size())); }
    }
}

// RFC 2046 5.1.1: each part stands between two delimiters, "--" and the boundary at the beginning of a line; the last one has "--" at
// its end. The line break before a delimiter belongs to it.
std::optional<std::vector<ReplyMessage>> parts(std::string_view boundary, std::string_view body) {
    if (boundary.empty()) { return std::nullopt; }
    const std::string delimiter = std::string("\r\n--").append(boundary);
    const std::string_view first = std::string_view(delimiter).substr(crlf.size());
    std::size_t at = 0;
    if (!body.starts_with(first)) {
        at = body.find(delimiter);
        if (at == std::string_view::npos) { return std::nullopt; }
        at += crlf.size();
    }
    body.remove_prefix(at + first.size());

    std::vector<ReplyMessage> messages;
    while (!body.starts_with("--")) {
        const std::size_t line = body.find(crlf);
        if (line == std::string_view::npos || !trim(body.substr(0, line)).empty()) { return std::nullopt; }
        body.remove_prefix(line);
        // The line break that ends the delimiter may begin the next one: a part without anything.
        const std::size_t end = body.find(delimiter);
        if (end == std::string_view::npos || messages.size() == most_reply_messages) { return std::nullopt; }
        std::string_view part = body.substr(0, end + crlf.size()).substr(crlf.size());
        body.remove_prefix(end + delimiter.size());
        const auto type = take_part_type(part);
        if (!type) { return std::nullopt; }
        if (part.ends_with(crlf)) { part.remove_suffix(crlf.size()); }
        const auto parsed = message(*type, part);
        if (!parsed) { return std::nullopt; }
        messages.push_back(*parsed);
    }
    return messages;
}

}  // namespace

std::optional<std::vector<ReplyMessage>> reply_messages(std::string_view content_type, std::string_view body) {
    if (body.empty()) { return std::vector<ReplyMessage>{}; }
    if (same_text(media_type(content_type), "multipart/mixed")) { return parts(boundary(content_type), body); }
    const auto single = message(content_type, body);
    if (!single) { return std::nullopt; }
    return std::vector<ReplyMessage>{*single};
}

}  // namespace ws::relay
