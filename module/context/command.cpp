#include "context/command.h"

#include "context/base64.h"
#include "context/json.h"
#include "websocket/close_code.h"

#include <optional>

namespace ws::context {
namespace {

namespace close_code = websocket::close_code;

constexpr std::size_t max_reason_size = 123;  // RFC 6455 5.5: 125 bytes, two of them for the code

std::string_view text_of(const json_t* string) {
    return {json_string_value(string), json_string_length(string)};
}

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

Command close_command(json_t* object) {
    CloseCommand command;
    if (const json_t* const code = json_object_get(object, "code")) {
        const json_int_t value = json_integer_value(code);  // 0 if it is none
        if (value < 0 || value > 0xffff || !close_code::allowed(static_cast<std::uint16_t>(value))) {
            return InvalidCommand{"code is not one that may be sent"};
        }
        command.code = static_cast<std::uint16_t>(value);
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
