#include "context/command.h"

#include "context/base64.h"
#include "context/json.h"
#include "context/plain_message.h"

#include <optional>
#include <utility>

namespace ws::context {
namespace {

constexpr std::size_t max_reason_size = 123;  // RFC 6455 5.5: 125 bytes, two of them for the code

std::string_view text_of(const json_t* string) { return {json_string_value(string), json_string_length(string)}; }

std::optional<MessageType> message_type(const json_t* type) {
    if (type == nullptr) return MessageType::text;
    if (!json_is_string(type)) return std::nullopt;
    const std::string_view name = text_of(type);
    if (name == "text") return MessageType::text;
    if (name == "binary") return MessageType::binary;
    if (name == "json") return MessageType::json;
    return std::nullopt;
}

Command message_command(json_t* object) {
    const auto type = message_type(json_object_get(object, "type"));
    if (!type) return InvalidCommand{"unknown message type"};
    json_t* const data = json_object_get(object, "data");
    if (data == nullptr) return InvalidCommand{"message without data"};
    MessageCommand command{*type, {}};
    if (*type == MessageType::json) {
        append_json(command.data, data, Charset::utf8);
        return command;
    }
    if (!json_is_string(data)) return InvalidCommand{"data is not a string"};
    if (*type == MessageType::text) {
        command.data = text_of(data);
    } else if (!append_decoded_base64(command.data, text_of(data))) {
        return InvalidCommand{"data is not base64"};
    }
    return command;
}

Command context_command(json_t* object) {
    json_t* const patch = json_object_get(object, "context");
    if (!json_is_object(patch)) return InvalidCommand{"context is not an object"};
    ContextCommand command;
    append_json(command.merge_patch, patch, Charset::ascii);
    return command;
}

// RFC 6455 7.4 and IANA's registry, for any integer.
bool may_be_sent(json_int_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

Command close_command(json_t* object) {
    CloseCommand command;
    if (const json_t* const code = json_object_get(object, "code")) {
        if (!json_is_integer(code) || !may_be_sent(json_integer_value(code))) {
            return InvalidCommand{"code is not one that may be sent"};
        }
        command.code = static_cast<std::uint16_t>(json_integer_value(code));
    }
    if (const json_t* const reason = json_object_get(object, "reason")) {
        if (!json_is_string(reason)) return InvalidCommand{"reason is not a string"};
        command.reason = text_of(reason);
        if (command.reason.size() > max_reason_size) return InvalidCommand{"reason is longer than 123 bytes"};
    }
    return command;
}

InvalidCommand unreadable(JsonError error) {
    switch (error) {
        case JsonError::inexact_number: return {"a number that can't be kept exactly"};
        case JsonError::too_deep: return {"nested too deep"};
        default: return {"not JSON"};
    }
}

}  // namespace

Command parse_text_command(std::string_view text) {
    if (auto data = plain_text_message(text)) return MessageCommand{MessageType::text, *std::move(data)};
    return parse_command(text);
}

Command parse_command(std::string_view text) {
    const JsonParse parsed = parse_json(text);
    json_t* const object = parsed.value.get();
    if (object == nullptr) return unreadable(parsed.error);
    if (!json_is_object(object)) return InvalidCommand{"not an object"};
    const json_t* const event = json_object_get(object, "event");
    if (!json_is_string(event)) return InvalidCommand{"no event"};
    const std::string_view name = text_of(event);
    if (name == "message") return message_command(object);
    if (name == "context") return context_command(object);
    if (name == "close") return close_command(object);
    return InvalidCommand{"unknown event"};
}

}  // namespace ws::context
