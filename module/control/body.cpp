#include "control/body.h"

#include "context/json.h"
#include "websocket/close_code.h"
#include "websocket/utf8.h"

namespace ws::control {

namespace {

constexpr std::size_t max_reason_size = 123;  // RFC 6455 5.5: 125 bytes, two of them for the code

bool is_utf8(std::string_view text) noexcept {
    websocket::Utf8Validator validator;
    return validator.feed(text) && validator.complete();
}

}  // namespace

bool may_close_with(const context::CloseCommand& close) noexcept {
    return websocket::close_code::allowed(close.code) && close.reason.size() <= max_reason_size &&
           is_utf8(close.reason);
}

std::optional<std::string_view> refuse_body(const context::Command& command) {
    if (const auto* message = std::get_if<context::MessageCommand>(&command)) {
        if (message->type != context::MessageType::binary && !is_utf8(message->data)) {
            return "a text message has to be UTF-8";
        }
    } else if (const auto* change = std::get_if<context::ContextCommand>(&command)) {
        if (!json_is_object(context::parse_json(change->merge_patch).value.get())) {
            return "a merge patch for a context has to be a JSON object";
        }
    }
    return std::nullopt;
}

}  // namespace ws::control
