#include "control/bus_message.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "context/json.h"
#include "context/json_value.h"
#include "control/body.h"

namespace ws::control {

namespace {

using context::JsonPtr;

constexpr int version = 1;

void append_text(std::string& out, std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    context::append_ascii_string(out, value);
}

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
    out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

void append_selection(std::string& out, const Selection& selection) {
    append_text(out, "session", selection.session);
    out += ",\"filters\":[";
    for (const Filter& filter : selection.filters) {
        if (out.back() != '[') { out += ','; }
        out += '[';
        context::append_ascii_string(out, filter.path);
        out += ',';
        context::append_ascii_string(out, filter.value);
        out += ']';
    }
    out += ']';
}

void append_close(std::string& out, const context::CloseCommand& close) {
    append_number(out, "code", close.code);
    append_text(out, "reason", close.reason);
}

std::string_view name(context::MessageType type) noexcept {
    return type == context::MessageType::binary ? "binary" : "text";
}

// Each member's name and value: appends `,"name":{"…":…}` to the head, and its body to `body`.
struct Writer {
    std::string& head;
    std::string& body;

    void operator()(const List& list) {
        head.append(",\"list\":{\"limit\":").append(std::to_string(list.limit));
        append_text(head, "after", list.after);
        append_selection(head, list.selection);
        head += '}';
    }
    void operator()(const Look& look) {
        head += ",\"look\":{\"connection\":";
        context::append_ascii_string(head, look.id);
        head += '}';
    }
    void operator()(const Act& act) {
        head += ",\"act\":{\"connection\":";
        context::append_ascii_string(head, act.id);
        std::visit([this](const auto& command) { write(command); }, act.command);
        head += '}';
    }
    void operator()(const CloseAll& all) {
        head.append(",\"close_all\":{\"code\":").append(std::to_string(all.close.code));
        append_text(head, "reason", all.close.reason);
        append_selection(head, all.selection);
        head += '}';
    }
    void write(const context::MessageCommand& message) {
        append_text(head, "event", "message");
        append_text(head, "type", name(message.type));
        body = message.data;
    }
    void write(const context::ContextCommand& change) {
        append_text(head, "event", "context");
        body = change.merge_patch;
    }
    void write(const context::CloseCommand& close) {
        append_text(head, "event", "close");
        append_close(head, close);
    }
    void write(const context::InvalidCommand&) {}
};

// Reads members of one object; once something is wrong, all is.
class Reader {
public:
    explicit Reader(json_t* object) : object_(json_is_object(object) ? object : nullptr), sound_(object_ != nullptr) {}

    [[nodiscard]] bool sound() const noexcept { return sound_; }
    [[nodiscard]] bool fail() noexcept { return sound_ = false; }

    std::string text(const char* name, std::size_t most) {
        const json_t* value = json_object_get(object_, name);
        return take_text(value, most);
    }
    std::string take_text(const json_t* value, std::size_t most) {
        if (!json_is_string(value) || json_string_length(value) > most) {
            sound_ = false;
            return {};
        }
        return {json_string_value(value), json_string_length(value)};
    }
    std::string optional_text(const char* name, std::size_t most) {
        return json_object_get(object_, name) == nullptr ? std::string() : text(name, most);
    }
    std::uint64_t number(const char* name, std::uint64_t most) {
        const json_t* value = json_object_get(object_, name);
        const json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;
        if (n < 0 || static_cast<std::uint64_t>(n) > most) {
            sound_ = false;
            return 0;
        }
        return static_cast<std::uint64_t>(n);
    }
    bool flag(const char* name) {
        const json_t* value = json_object_get(object_, name);
        if (value != nullptr && !json_is_boolean(value)) { sound_ = false; }
        return json_is_true(value);
    }
    std::string id(const char* name) {
        std::string value = text(name, 32);
        if (!is_id(value)) { sound_ = false; }
        return value;
    }
    // Or nothing.
    std::string optional(const char* name, bool (*is_right)(std::string_view) noexcept) {
        std::string value = text(name, 64);
        if (!value.empty() && !is_right(value)) { sound_ = false; }
        return value;
    }
    [[nodiscard]] json_t* member(const char* name) const { return json_object_get(object_, name); }

private:
    json_t* object_;
    bool sound_;
};

Selection read_selection(Reader& reader) {
    Selection selection{reader.optional("session", is_session_name), {}};
    json_t* const filters = reader.member("filters");
    if (!json_is_array(filters) || json_array_size(filters) > max_filters) {
        (void)reader.fail();
        return selection;
    }
    for (std::size_t i = 0; i < json_array_size(filters); ++i) {
        json_t* const filter = json_array_get(filters, i);
        if (!json_is_array(filter) || json_array_size(filter) != 2) {
            (void)reader.fail();
            return selection;
        }
        std::string path = reader.take_text(json_array_get(filter, 0), max_head);
        selection.filters.push_back({std::move(path), reader.take_text(json_array_get(filter, 1), max_head)});
    }
    return selection;
}

context::CloseCommand read_close(Reader& reader) {
    const auto code = static_cast<std::uint16_t>(reader.number("code", 4999));
    context::CloseCommand close{code, reader.text("reason", 123)};
    if (!may_close_with(close)) { (void)reader.fail(); }
    return close;
}

std::optional<Request> read_act(json_t* object, std::string_view body) {
    Reader reader(object);
    Act act{reader.id("connection"), {}};
    const std::string event = reader.text("event", 16);
    if (event == "message") {
        const std::string type = reader.text("type", 16);
        if (type != "text" && type != "binary") { (void)reader.fail(); }
        act.command = context::MessageCommand{
            type == "text" ? context::MessageType::text : context::MessageType::binary, std::string(body)};
    } else if (event == "context") {
        act.command = context::ContextCommand{std::string(body)};
    } else if (event == "close" && body.empty()) {
        act.command = read_close(reader);
    } else {
        return std::nullopt;
    }
    if (!reader.sound() || refuse_body(act.command)) { return std::nullopt; }
    return act;
}

std::optional<Request> read_request(const Reader& head, std::string_view body) {
    if (json_t* const object = head.member("act")) { return read_act(object, body); }
    if (!body.empty()) { return std::nullopt; }
    if (json_t* const object = head.member("look")) {
        Reader reader(object);
        Look look{reader.id("connection")};
        return reader.sound() ? std::optional<Request>(std::move(look)) : std::nullopt;
    }
    if (json_t* const object = head.member("list")) {
        Reader reader(object);
        List list;
        list.limit = reader.number("limit", max_limit);
        list.after = reader.optional("after", is_id);
        list.selection = read_selection(reader);
        return reader.sound() && list.limit > 0 ? std::optional<Request>(std::move(list)) : std::nullopt;
    }
    Reader reader(head.member("close_all"));
    CloseAll all;
    all.close = read_close(reader);
    all.selection = read_selection(reader);
    return reader.sound() && !all.selection.empty() ? std::optional<Request>(std::move(all)) : std::nullopt;
}

// Each line one description; false if there is one that isn't.
bool read_connections(std::string_view body, std::vector<std::string>& connections) {
    while (!body.empty()) {
        const std::size_t end = body.find('\n');
        if (end == std::string_view::npos) { return false; }
        const std::string_view line = body.substr(0, end);
        if (described_id(line).empty() || !context::is_json_value(line)) { return false; }
        connections.emplace_back(line);
        body.remove_prefix(end + 1);
    }
    return std::ranges::is_sorted(connections, {}, described_id);
}

struct Parts {
    JsonPtr head;
    std::string_view body;
};

// Null: no head of this version.
Parts split(std::string_view text) {
    const std::size_t end = text.substr(0, max_head + 1).find('\n');
    if (end == std::string_view::npos) { return {}; }
    Parts parts{context::parse_json(text.substr(0, end), 4).value, text.substr(end + 1)};
    if (!json_is_object(parts.head.get()) || json_integer_value(json_object_get(parts.head.get(), "v")) != version) {
        return {};
    }
    return parts;
}

}  // namespace

std::string encode(const Question& question) {
    std::string body;
    std::string text = "{\"v\":" + std::to_string(version);
    append_text(text, "question", question.number);
    append_text(text, "reply_to", question.reply_to);
    std::visit(Writer{text, body}, question.request);
    text += "}\n";
    return text += body;
}

std::string encode(const Reply& reply) {
    const Answer& answer = reply.answer;
    std::string text = "{\"v\":" + std::to_string(version);
    append_text(text, "answer", reply.number);
    append_number(text, "status", static_cast<std::uint64_t>(answer.status));
    if (!answer.detail.empty()) { append_text(text, "detail", answer.detail); }
    if (answer.more) { text += ",\"more\":true"; }
    append_number(text, "closed", answer.closed);
    text += "}\n";
    for (const std::string& connection : answer.connections) { text.append(connection).append("\n"); }
    return text;
}

std::optional<Question> parse_question(std::string_view text) {
    const Parts parts = split(text);
    Reader reader(parts.head.get());
    Question question{reader.text("question", max_number), reader.text("reply_to", max_channel), {}};
    if (!reader.sound()) { return std::nullopt; }
    auto request = read_request(reader, parts.body);
    if (!request) { return std::nullopt; }
    question.request = *std::move(request);
    return question;
}

std::optional<Reply> parse_reply(std::string_view text) {
    const Parts parts = split(text);
    Reader reader(parts.head.get());
    Reply reply{reader.text("answer", max_number), {}};
    reply.answer.status = static_cast<int>(reader.number("status", 599));
    reply.answer.detail = reader.optional_text("detail", 512);
    reply.answer.more = reader.flag("more");
    reply.answer.closed = reader.number("closed", UINT32_MAX);
    if (!reader.sound() || reply.answer.status < status::ok ||
        !read_connections(parts.body, reply.answer.connections)) {
        return std::nullopt;
    }
    return reply;
}

}  // namespace ws::control
