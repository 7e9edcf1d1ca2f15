#include "relay/envelope_delivery.h"

#include <utility>
#include <variant>

#include "context/command.h"
#include "context/json_value.h"
#include "relay/compression.h"
#include "websocket/message.h"

namespace ws::relay {

using websocket::Event;
using websocket::Opcode;
using websocket::Sender;
namespace close_code = websocket::close_code;

EnvelopeDelivery::EnvelopeDelivery(std::string_view connection_id, std::shared_ptr<const context::Context> context,
                                   OpenRequest request, EnvelopeOptions options, MaskKeys& keys)
    : inflater_(make_inflater(options.deflate)),
      deflater_(make_deflater(options.deflate, options.deflate_level)),
      from_client_(Sender::client, options.limits, inflater_.get()),
      from_backend_(Sender::server, options.limits),
      writer_(connection_id, options.traceparent_always ? request.traceparent : std::string_view{}),
      context_(std::move(context)),
      request_(std::make_unique<const OpenRequest>(std::move(request))),
      options_(std::move(options)),
      keys_(keys) {}

// An envelope is written where it will be sent from. `payload` bytes of it come from the client. When they are as many as
// announced, a large envelope has its memory once.
template <class Write>
void EnvelopeDelivery::write_envelope(Output& output, std::size_t payload, Write write) {
    static constexpr std::size_t usual_rest = 128;  // besides the context
    const std::size_t expected = usual_rest + context_->json().size() + payload;
    const std::size_t start = websocket::begin_frame(output.backend, expected, true);
    write(output.backend);
    websocket::end_frame(output.backend, start, expected, Opcode::text, keys_.next());
}

void EnvelopeDelivery::open(Output& output) {
    const std::string_view traceparent = options_.traceparent_always ? std::string_view{} : request_->traceparent;
    write_envelope(output, 0, [&](std::string& out) {
        writer_.open(out, *context_,
                     {request_->uri, request_->host, request_->remote_addr, request_->protocol, traceparent});
    });
    request_.reset();
}

void EnvelopeDelivery::consume(Side from, std::span<char>& input, Output& output) {
    websocket::Decoder& decoder = from == Side::client ? from_client_ : from_backend_;
    bool only_pong = from == Side::client && !decoder.message_in_progress();
    do {
        const Event event = decoder.next(input);
        if (event.kind == Event::Kind::need_more) {
            output.only_pong = only_pong && !decoder.message_in_progress();
            return;
        }
        only_pong = only_pong && event.kind == Event::Kind::pong;
        if (from == Side::client) {
            on_client(event, output);
        } else {
            on_backend(event, output);
        }
    } while (!output.full());
    // The message that has just been passed on is not kept until the next one.
    std::span<char> nothing;
    (void)decoder.next(nothing);
}

void EnvelopeDelivery::on_client(const Event& event, Output& output) {
    switch (event.kind) {
        case Event::Kind::message: on_client_message(event, output); break;
        case Event::Kind::ping:
            if (!closing(Side::client).sent) {
                websocket::append_frame(output.client, Opcode::pong, event.payload, true, std::nullopt);
            }
            break;
        case Event::Kind::close:
            mark(Side::client).received = true;
            note_end(End::Cause::client, event.code, "");
            end_by_client({event.code, {}}, event.code, event.reason, output);
            break;
        case Event::Kind::violation:
            mark(Side::client).received = true;  // RFC 6455 7.1.7: what it sends after this is not read
            note_violation(Side::client, event.code, event.reason);
            end_by_client({event.code, std::string(event.reason)}, close_code::going_away, event.reason, output);
            break;
        case Event::Kind::pong:
        case Event::Kind::need_more: break;
    }
}

// Nothing more comes from the client; what it has sent is still answered. RFC 6455 5.5.1: a close frame may be delayed for
// a message under way.
void EnvelopeDelivery::end_by_client(Close answer, std::uint16_t frame_code, std::string_view reason, Output& output) {
    if (closing(Side::backend).received) { return close_client(answer.code, answer.reason, output); }
    if (!closing(Side::client).sent) { answer_ = std::make_unique<const Close>(answer); }
    close_backend(answer.code, frame_code, reason, output);
}

void EnvelopeDelivery::answer(Output& output) {
    if (answer_ != nullptr) { close_client(answer_->code, {}, output); }
}

void EnvelopeDelivery::on_client_message(const Event& event, Output& output) {
    if (closing(Side::backend).sent) { return; }
    count_messages(Side::client, 1);
    context::MessageType type = event.type == Opcode::text ? context::MessageType::text : context::MessageType::binary;
    if (options_.json_data && type == context::MessageType::text && context::is_json_value(event.payload)) {
        type = context::MessageType::json;
    }
    const context::Context* context = options_.context_always ? context_.get() : nullptr;
    const bool large = event.payload.size() >= 64 * 1024;
    const std::size_t size = large ? writer_.data_size(type, event.payload) : event.payload.size();
    write_envelope(output, size, [&](std::string& out) {
        writer_.message(out, context, messages(Side::client), type, event.payload);
    });
}

void EnvelopeDelivery::on_backend(const Event& event, Output& output) {
    switch (event.kind) {
        case Event::Kind::message:
            if (closing(Side::client).sent) { break; }
            count_messages(Side::backend, 1);
            if (options_.replies) {
                on_command(event, output);
            } else {
                send_client(event.type, event.payload, output);
            }
            break;
        case Event::Kind::ping:
            if (!closing(Side::backend).sent) {
                websocket::append_frame(output.backend, Opcode::pong, event.payload, true, keys_.next());
            }
            break;
        case Event::Kind::close:
            mark(Side::backend).received = true;
            note_end(End::Cause::backend, event.code, "");
            close_client(event.code, event.reason, output);
            close_backend(close_code::none, event.code, {}, output);
            break;
        case Event::Kind::violation:
            mark(Side::backend).received = true;
            note_violation(Side::backend, event.code, event.reason);
            close_client(close_code::bad_gateway, "backend broke the protocol", output);
            close_backend(close_code::none, event.code, event.reason, output);
            break;
        case Event::Kind::pong:
        case Event::Kind::need_more: break;
    }
}

void EnvelopeDelivery::send_client(Opcode type, std::string_view payload, Output& output) {
    websocket::append_message(output.client, type, payload, deflater_.get(), options_.deflate_min_length, std::nullopt);
}

bool EnvelopeDelivery::ping(Output& output) {
    if (closing(Side::client).sent) { return false; }
    websocket::append_frame(output.client, Opcode::ping, {}, true, std::nullopt);
    return true;
}

void EnvelopeDelivery::release() {
    inflater_->release();
    deflater_->release();
}

void EnvelopeDelivery::on_command(const Event& event, Output& output) {
    const context::Command command =
        event.type == Opcode::text ? context::parse_text_command(event.payload) : context::parse_command(event.payload);
    if (const auto* message = std::get_if<context::MessageCommand>(&command)) {
        const Opcode opcode = message->type == context::MessageType::binary ? Opcode::binary : Opcode::text;
        send_client(opcode, message->data, output);
        return;
    }
    if (const auto* change = std::get_if<context::ContextCommand>(&command)) {
        if (const std::string_view why = patch_context(change->merge_patch); !why.empty()) { drop(why); }
        return;
    }
    if (const auto* bye = std::get_if<context::CloseCommand>(&command)) {
        note_end(End::Cause::backend, bye->code, "close command");
        close_client(bye->code, bye->reason, output);
        return;
    }
    drop(std::get<context::InvalidCommand>(command).why);
}

// Why it can't be; empty: it is patched.
std::string_view EnvelopeDelivery::patch_context(std::string_view merge_patch) {
    auto patched = context_->patched(merge_patch);
    if (patched == nullptr) { return "context is no merge patch"; }
    if (patched->json().size() > options_.max_context) { return "context would become too large"; }
    context_ = std::move(patched);
    return {};
}

CommandResult EnvelopeDelivery::command(const context::Command& command, Output& output) {
    if (closing(Side::client).sent || closing(Side::backend).sent) { return CommandResult::ending; }
    if (const auto* message = std::get_if<context::MessageCommand>(&command)) {
        count_messages(Side::backend, 1);
        const Opcode opcode = message->type == context::MessageType::binary ? Opcode::binary : Opcode::text;
        send_client(opcode, message->data, output);
        return CommandResult::done;
    }
    if (const auto* change = std::get_if<context::ContextCommand>(&command)) {
        if (!patch_context(change->merge_patch).empty()) { return CommandResult::too_large; }
        change_context(context_, output);
        return CommandResult::done;
    }
    return CommandResult::impossible;
}

void EnvelopeDelivery::drop(std::string_view why) {
    ++dropped_;
    if (options_.on_dropped) { options_.on_dropped(dropped_, why); }
}

void EnvelopeDelivery::change_context(std::shared_ptr<const context::Context> context, Output& output) {
    context_ = std::move(context);
    if (closing(Side::backend).sent) { return; }
    write_envelope(output, 0, [this](std::string& out) { writer_.context(out, *context_); });
}

void EnvelopeDelivery::ended(Side from, Output& output) {
    if (from == Side::client) {
        note_end(End::Cause::client, close_code::abnormal, "client left without a close frame");
        close_backend(close_code::abnormal, close_code::going_away, {}, output);
    } else {
        note_end(End::Cause::backend, close_code::bad_gateway, "backend left without a close frame");
        close_client(close_code::bad_gateway, "backend gone", output);
    }
}

void EnvelopeDelivery::close(const Close& client, const Close& backend, Output& output) {
    close_client(client.code, client.reason, output);
    close_backend(client.code, backend.code, client.reason, output);
}

// What has been put off comes first: how the client itself has ended the connection.
void EnvelopeDelivery::close_client(std::uint16_t code, std::string_view reason, Output& output) {
    if (std::exchange(mark(Side::client).sent, true)) { return; }
    if (const auto answer = std::move(answer_)) {
        websocket::append_close(output.client, answer->code, answer->reason, std::nullopt);
    } else {
        websocket::append_close(output.client, code, reason, std::nullopt);
    }
}

// A `close` envelope, unless the backend closed itself, and a close frame.
void EnvelopeDelivery::close_backend(std::uint16_t event_code, std::uint16_t frame_code, std::string_view reason,
                                     Output& output) {
    if (std::exchange(mark(Side::backend).sent, true)) { return; }
    if (!closing(Side::backend).received) {
        write_envelope(output, 0, [&](std::string& out) { writer_.close(out, event_code, reason); });
    }
    websocket::append_close(output.backend, frame_code, reason, keys_.next());
}

}  // namespace ws::relay
