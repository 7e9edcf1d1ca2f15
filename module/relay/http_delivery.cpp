#include "relay/http_delivery.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "context/json_value.h"
#include "relay/compression.h"
#include "relay/reply_messages.h"
#include "websocket/message.h"

namespace ws::relay {

using websocket::Event;
using websocket::Opcode;
namespace close_code = websocket::close_code;

namespace {

// A copy of less costs less than the bookkeeping.
constexpr std::size_t large = 64 * 1024;

constexpr std::string_view plain_text = "text/plain; charset=utf-8";
constexpr std::string_view json = "application/json";
constexpr std::string_view octets = "application/octet-stream";

// X-WS-Close: a code, and after a blank a reason. None if it is something else, or a code that must not be sent.
std::optional<Close> parse_close(std::string_view value) {
    std::uint16_t code = 0;
    std::size_t digits = 0;
    while (digits < value.size() && digits < 4 && value[digits] >= '0' && value[digits] <= '9') {
        code = static_cast<std::uint16_t>(10 * code + (value[digits++] - '0'));
    }
    if (!close_code::allowed(code)) { return std::nullopt; }
    value.remove_prefix(digits);
    if (!value.empty() && value[0] != ' ') { return std::nullopt; }
    websocket::Utf8Validator utf8;
    if (!utf8.feed(value) || !utf8.complete()) { return std::nullopt; }
    return Close{code, std::string(value.substr(value.empty() ? 0 : 1))};
}

// What a client is told with ws_http_error message.
std::string error_message(std::uint64_t sequence, unsigned status) {
    return "{\"event\":\"error\",\"seq\":" + std::to_string(sequence) + ",\"status\":" + std::to_string(status) + "}";
}

}  // namespace

HttpDelivery::HttpDelivery(std::shared_ptr<const context::Context> context, HttpOptions options, Requests& requests)
    : inflater_(make_inflater(options.deflate)),
      deflater_(make_deflater(options.deflate, options.deflate_level)),
      from_client_(websocket::Sender::client, options.limits, inflater_.get()),
      context_(std::move(context)),
      options_(std::move(options)),
      requests_(requests) {}

void HttpDelivery::consume(Side from, std::span<char>& input, Output& output) {
    if (from != Side::client) { return; }
    bool only_pong = !from_client_.message_in_progress();
    do {
        const Event event = from_client_.next(input);
        if (event.kind == Event::Kind::need_more) {
            output.only_pong = only_pong && !from_client_.message_in_progress();
            return;
        }
        only_pong = only_pong && event.kind == Event::Kind::pong;
        on_client(event, output);
    } while (!output.full() && !full());
}

void HttpDelivery::on_client(const Event& event, Output& output) {
    switch (event.kind) {
        case Event::Kind::message: on_message(event); break;
        case Event::Kind::ping:
            if (!closing(Side::client).sent) {
                websocket::append_frame(output.client, Opcode::pong, event.payload, true, std::nullopt);
            }
            break;
        case Event::Kind::close:
            mark(Side::client).received = true;
            note_end(End::Cause::client, event.code, "");
            end({{event.code, {}}, event.code, std::string(event.reason)});
            break;
        case Event::Kind::violation:
            mark(Side::client).received = true;  // RFC 6455 7.1.7: what it sends after this is not read
            note_violation(Side::client, event.code, event.reason);
            end({{event.code, std::string(event.reason)}, event.code, std::string(event.reason)});
            break;
        case Event::Kind::pong:
        case Event::Kind::need_more: break;
    }
}

void HttpDelivery::on_message(const Event& event) {
    if (ending_ != nullptr) { return; }
    count_messages(Side::client, 1);
    HttpEvent message{.kind = HttpEvent::Kind::message, .sequence = messages(Side::client), .content_type = octets};
    if (event.type == Opcode::text) {
        message.content_type = options_.json_data && context::is_json_value(event.payload) ? json : plain_text;
    }
    message.body = from_client_.take(event);
    waiting_bytes_ += message.body.size();
    waiting_.push_back(std::move(message));
}

bool HttpDelivery::full() const noexcept {
    return ending_ == nullptr &&
           (waiting_.size() >= options_.max_waiting || waiting_bytes_ >= options_.max_waiting_bytes);
}

// Starts what may be started; at the end, when all is answered, the client gets its close frame and the backend the event.
void HttpDelivery::proceed(Output& output) {
    while (!waiting_.empty() && under_way_ < options_.concurrency) {
        const std::size_t size = waiting_.front().body.size();
        if (!requests_.start(waiting_.front(), context_)) { return; }
        ++under_way_;
        waiting_bytes_ -= size;
        waiting_.pop_front();
    }
    if (ending_ == nullptr || !waiting_.empty() || under_way_ > 0) { return; }
    close_client(output);
    start_close_event();
}

void HttpDelivery::answered(HttpEvent::Kind kind, std::uint64_t sequence, HttpReply reply) {
    answers_.push_back({kind, sequence, std::move(reply)});
}

void HttpDelivery::resume(Output& output) {
    for (Answer& answer : std::exchange(answers_, {})) { on_answer(answer, output); }
}

void HttpDelivery::on_answer(Answer& answer, Output& output) {
    if (answer.kind == HttpEvent::Kind::close) {
        mark(Side::backend).received = true;
        return;
    }
    if (answer.kind == HttpEvent::Kind::message) { --under_way_; }
    if (answer.reply.success()) {
        on_reply(answer, output);
    } else {
        fail(answer, "status " + std::to_string(answer.reply.status), output);
    }
}

void HttpDelivery::on_reply(Answer& answer, Output& output) {
    HttpReply& reply = answer.reply;
    const auto messages = reply_messages(reply.content_type, reply.body);
    if (!messages) { return fail(answer, "body is not what its type says", output); }
    if (!reply.context_update.empty() && !patch_context(reply.context_update)) {
        note_failure(answer, "X-WS-Context-Update can't be applied");
    }
    if (messages->size() == 1 && messages->front().payload.size() == reply.body.size()) {
        send_body(messages->front().type, reply.body, output);
    } else {
        for (const ReplyMessage& message : *messages) { send_client(message.type, message.payload, output); }
    }
    if (reply.close.empty()) { return; }
    if (const auto close = parse_close(reply.close)) {
        close_by_backend(close->code, close->reason, output);
    } else {
        note_failure(answer, "X-WS-Close is wrong");
    }
}

void HttpDelivery::send_client(Opcode type, std::string_view payload, Output& output) {
    if (closing(Side::client).sent) { return; }
    count_messages(Side::backend, 1);
    websocket::append_message(output.client, type, payload, deflater_.get(), options_.deflate_min_length, std::nullopt);
}

// All of a reply. A large one becomes its own frame: it is not held twice.
void HttpDelivery::send_body(Opcode type, std::string& body, Output& output) {
    if (deflater_ != nullptr || body.size() < large || !output.client.empty() || closing(Side::client).sent) {
        return send_client(type, body, output);
    }
    count_messages(Side::backend, 1);
    std::string header;  // short: allocates nothing
    websocket::append_frame_header(header, type, body.size(), true, std::nullopt);
    body.insert(0, header);
    output.client.swap(body);
}

bool HttpDelivery::patch_context(std::string_view merge_patch) {
    auto patched = context_->patched(merge_patch);
    if (patched == nullptr || patched->json().size() > options_.max_context) { return false; }
    context_ = std::move(patched);
    return true;
}

CommandResult HttpDelivery::command(const context::Command& command, Output& output) {
    if (ending_ != nullptr) { return CommandResult::ending; }
    if (const auto* message = std::get_if<context::MessageCommand>(&command)) {
        send_client(message->type == context::MessageType::binary ? Opcode::binary : Opcode::text, message->data,
                    output);
        return CommandResult::done;
    }
    if (const auto* change = std::get_if<context::ContextCommand>(&command)) {
        return patch_context(change->merge_patch) ? CommandResult::done : CommandResult::too_large;
    }
    return CommandResult::impossible;
}

void HttpDelivery::change_context(std::shared_ptr<const context::Context> context, Output&) {
    context_ = std::move(context);
}

// The backend has ended the connection: it is not asked about what still waits.
void HttpDelivery::close_by_backend(std::uint16_t code, std::string_view reason, Output& output) {
    note_end(End::Cause::backend, code, "");
    waiting_.clear();
    end({{code, std::string(reason)}, code, std::string(reason)});
    close_client(output);
}

void HttpDelivery::fail(const Answer& answer, std::string_view why, Output& output) {
    note_failure(answer, why);
    switch (options_.error) {
        case HttpErrorPolicy::ignore: break;
        case HttpErrorPolicy::message:
            send_client(Opcode::text, error_message(answer.sequence, answer.reply.status), output);
            break;
        case HttpErrorPolicy::close: {
            const auto code = answer.reply.missing() ? close_code::bad_gateway : close_code::internal_error;
            close_by_backend(code, "backend error", output);
            break;
        }
    }
}

void HttpDelivery::note_failure(const Answer& answer, std::string_view why) {
    ++failures_;
    if (options_.on_failure) { options_.on_failure({failures_, answer.sequence, answer.reply.success(), why}); }
}

// Nothing more is accepted; what was is still delivered. RFC 6455 5.5.1: a close frame may be delayed for that.
void HttpDelivery::end(Ending ending) {
    if (ending_ == nullptr) { ending_ = std::make_unique<Ending>(std::move(ending)); }
}

void HttpDelivery::close_client(Output& output) {
    if (std::exchange(mark(Side::client).sent, true)) { return; }
    websocket::append_close(output.client, ending_->client.code, ending_->client.reason, std::nullopt);
}

void HttpDelivery::start_close_event() {
    given_up_ = true;
    if (closing(Side::backend).sent) { return; }
    HttpEvent event{.kind = HttpEvent::Kind::close, .sequence = messages(Side::client) + 1};
    event.code = ending_->code;
    event.reason = ending_->reason;
    mark(Side::backend).sent = requests_.start(event, context_);
}

// The backend takes too long with what was accepted: it is given up.
void HttpDelivery::answer(Output& output) {
    waiting_.clear();
    close_client(output);
    start_close_event();
}

bool HttpDelivery::ping(Output& output) {
    if (closing(Side::client).sent) { return false; }
    websocket::append_frame(output.client, Opcode::ping, {}, true, std::nullopt);
    return true;
}

void HttpDelivery::release() {
    inflater_->release();
    deflater_->release();
}

void HttpDelivery::ended(Side from, Output&) {
    if (from != Side::client) { return; }
    note_end(End::Cause::client, close_code::abnormal, "client left without a close frame");
    end({{close_code::none, {}}, close_code::abnormal, {}});
}

void HttpDelivery::revoke() {
    revoked_ = true;
    waiting_.clear();
}

void HttpDelivery::close(const Close& client, const Close&, Output& output) {
    end({client, client.code, client.reason});
    if (revoked_) { close_client(output); }
}

}  // namespace ws::relay
