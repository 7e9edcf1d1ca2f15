#include "relay/headers_delivery.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace ws::relay {

using websocket::Sender;
namespace close_code = websocket::close_code;

namespace {

// Where a close frame begins in `data`, which continues the stream that `follower` has followed so far; its end without one.
std::size_t before_close(std::string_view data, websocket::Follower follower) noexcept {
    std::size_t at = 0;
    while (at < data.size() && !follower.violated()) {
        if (!follower.at_boundary()) {
            at += follower.follow_to_boundary(data.substr(at));
            continue;
        }
        if (static_cast<websocket::Opcode>(data[at] & 0x0f) == websocket::Opcode::close) { return at; }  // RFC 6455 5.2
        (void)follower.follow(data.substr(at, 1));
        ++at;
    }
    return data.size();
}

// Where in `data`, which continues the stream that `follower` has followed so far, the message under way ends; its end if it doesn't.
std::size_t end_of_message(std::string_view data, websocket::Follower follower) noexcept {
    std::size_t at = 0;
    while (at < data.size() && !follower.violated() && !follower.between_messages()) {
        if (!follower.at_boundary()) {
            at += follower.follow_to_boundary(data.substr(at));
            continue;
        }
        (void)follower.follow(data.substr(at, 1));
        ++at;
    }
    return follower.violated() ? data.size() : at;
}

// So many bytes may wait for the end of a backend's message, or one message of any size.
constexpr std::size_t most_inserts = 64 * 1024;

}  // namespace

HeadersDelivery::HeadersDelivery(bool extensions, MaskKeys& keys) noexcept
    : streams_{Stream{{Sender::client, extensions}, {}}, Stream{{Sender::server, extensions}, {}}}, keys_(keys) {}

void HeadersDelivery::consume(Side from, std::span<char>& input, Output& output) {
    const Side to = other(from);
    std::string_view data(input.data(), input.size());
    input = {};
    if (closing(to).sent || cut(to)) {
        if (from == Side::client && pongs_.keeping()) { discard(from, pongs_.take_kept()); }
        discard(from, data);
        return;
    }
    if (from == Side::backend && put_off_) {
        pass_last_words(data, output);
    } else if (stream(from).ending) {
        pass_last_frame(from, data, output);
    } else if (from == Side::client && pongs_.expecting()) {
        pass_without_pong(data, output);
    } else if (from == Side::backend && !inserts_.empty()) {
        pass_around_inserts(data, output);
    } else {
        pass(from, data, output);
    }
}

// A message for the client goes between two of the backend's. It has no reserved bits: where extensions were agreed on, each message
// may do without them (RFC 7692 6).
CommandResult HeadersDelivery::command(const context::Command& command, Output& output) {
    const Stream& backend = stream(Side::backend);
    if (closing(Side::client).sent || cut(Side::client) || backend.ending) { return CommandResult::ending; }
    const auto* message = std::get_if<context::MessageCommand>(&command);
    if (message == nullptr) { return CommandResult::impossible; }
    const bool now = backend.follower.between_messages();
    if (!now && !inserts_.empty() && inserts_.size() + message->data.size() > most_inserts) {
        return CommandResult::busy;
    }
    const bool binary = message->type == context::MessageType::binary;
    websocket::append_frame(now ? output.client : inserts_,
                            binary ? websocket::Opcode::binary : websocket::Opcode::text, message->data, true,
                            std::nullopt);
    count_messages(Side::backend, 1);
    return CommandResult::done;
}

// What waits for the end of the backend's message follows it. Rare enough for the rest to be copied.
void HeadersDelivery::pass_around_inserts(std::string_view data, Output& output) {
    const std::size_t end = end_of_message(data, stream(Side::backend).follower);
    pass(Side::backend, data.substr(0, end), output);
    if (!stream(Side::backend).follower.between_messages() || closing(Side::client).sent) { return; }
    output.client += std::exchange(inserts_, {});
    if (end == data.size()) { return; }
    const std::string_view message = std::exchange(output.forward, {});
    const std::size_t before = output.client.size();
    pass(Side::backend, data.substr(end), output);
    output.client.insert(before, std::exchange(output.forward, message));
}

// Between two frames of the backend, with a payload that nobody else's ping has.
bool HeadersDelivery::ping(Output& output) {
    if (closing(Side::client).sent || cut(Side::client) || stream(Side::backend).ending ||
        !stream(Side::backend).follower.at_boundary()) {
        return false;
    }
    PongFilter::Payload payload;
    for (std::size_t i = 0; i < payload.size(); i += 4) {
        const websocket::MaskKey random = keys_.next();
        std::ranges::copy(random, payload.begin() + static_cast<std::ptrdiff_t>(i));
    }
    websocket::append_frame(output.client, websocket::Opcode::ping, {payload.data(), payload.size()}, true,
                            std::nullopt);
    pongs_.expect(payload);
    return true;
}

// Rare enough to be copied: only the first bytes after a ping come here.
void HeadersDelivery::pass_without_pong(std::string_view data, Output& output) {
    const std::string joined = pongs_.take_kept().append(data);
    const PongFilter::Pieces pieces = pongs_.split(joined, stream(Side::client).follower);
    output.only_pong = pieces.before.empty() && pieces.rest.empty();
    for (const std::string_view piece : {pieces.before, pieces.rest}) {
        if (piece.empty() || closing(Side::backend).sent || cut(Side::backend)) { continue; }
        const std::size_t before = output.backend.size();
        pass(Side::client, piece, output);
        output.backend.insert(before, std::exchange(output.forward, {}));
    }
}

// The frame under way is passed on to its end; a close frame of ours follows it, unless it is one itself.
void HeadersDelivery::pass_last_frame(Side from, std::string_view data, Output& output) {
    Stream& source = stream(from);
    const std::uint64_t before = source.follower.messages();
    const std::size_t rest = source.follower.follow_to_boundary(data);
    count_messages(from, source.follower.messages() - before);
    output.forward = data.substr(0, rest);
    if (source.follower.violated()) {
        mark(from).received = true;
        mark_cut(other(from));
    } else if (source.follower.at_boundary()) {
        if (source.follower.close_seen()) {
            note_close(from);
        } else {
            put_close(other(from), *source.ending, output);
        }
        discard(from, data.substr(rest));
    }
}

// The backend's frames are passed on up to its close frame; instead of that one the client gets what was put off.
void HeadersDelivery::pass_last_words(std::string_view data, Output& output) {
    const std::size_t end = before_close(data, stream(Side::backend).follower);
    if (end > 0) { pass(Side::backend, data.substr(0, end), output); }
    if (end < data.size()) {
        answer(output);
        discard(Side::backend, data.substr(end));
    }
}

void HeadersDelivery::answer(Output& output) {
    if (puts_off() && stream(Side::backend).follower.at_boundary()) { put_close(Side::client, {}, output); }
    put_off_ = false;
}

// A whole close frame has been passed on.
void HeadersDelivery::note_close(Side from) {
    mark(from).received = true;
    mark(other(from)).sent = true;
    note_end(from == Side::client ? End::Cause::client : End::Cause::backend, stream(from).follower.close_code(), "");
}

void HeadersDelivery::pass(Side from, std::string_view data, Output& output) {
    websocket::Follower& follower = stream(from).follower;
    const bool was_at_boundary = follower.at_boundary();
    const std::uint64_t before = follower.messages();
    const bool sound = follower.follow(data);
    count_messages(from, follower.messages() - before);
    if (!sound) {
        // What came before the bad header is passed on; a part of it that has been passed on already leaves no way to
        // tell the other side anything.
        output.forward = data.substr(0, follower.sound());
        if (output.forward.empty() && !was_at_boundary) { mark_cut(other(from)); }
        fail(from, output);
        return;
    }
    output.forward = data;
    if (follower.close_seen() && follower.at_boundary()) {
        output.forward = data.substr(0, follower.sound());  // RFC 6455 5.5.1: nothing may follow a close frame
        note_close(from);
    }
}

// Nothing is sent to the other side any more; the close frame is still looked for.
void HeadersDelivery::discard(Side from, std::string_view data) noexcept {
    websocket::Follower& follower = stream(from).follower;
    if (follower.violated() || !follower.follow(data)) { return; }
    if (follower.close_seen() && follower.at_boundary()) { mark(from).received = true; }
}

void HeadersDelivery::fail(Side from, Output& output) {
    const std::string_view why = stream(from).follower.reason();
    const bool client = from == Side::client;
    note_violation(from, close_code::protocol_error, why);
    mark(from).received = true;  // RFC 6455 7.1.7: what it sends after this is not read
    if (!cut(other(from)) && !closing(other(from)).sent) {
        put_close(other(from), {client ? close_code::going_away : close_code::bad_gateway, {}}, output);
    }
    const Close answer{close_code::protocol_error, std::string(why)};
    if (client && closing(Side::backend).sent && !closing(Side::backend).received && !stream(Side::backend).ending) {
        // What it sent before is still answered.
        stream(Side::backend).ending = answer;
        put_off_ = true;
        return;
    }
    end_towards(from, answer, output);
}

void HeadersDelivery::ended(Side from, Output& output) {
    const bool between_frames = stream(from).follower.at_boundary();
    if (from == Side::client) {
        note_end(End::Cause::client, close_code::abnormal, "client left without a close frame");
        if (!between_frames) { mark_cut(Side::backend); }
        return;
    }
    note_end(End::Cause::backend, close_code::bad_gateway, "backend left without a close frame");
    if (closing(Side::client).sent) { return; }
    if (between_frames) {
        put_close(Side::client, {close_code::bad_gateway, "backend gone"}, output);
    } else {
        mark_cut(Side::client);
    }
}

void HeadersDelivery::close(const Close& client, const Close& backend, Output& output) {
    end_towards(Side::client, client, output);
    end_towards(Side::backend, backend, output);
}

void HeadersDelivery::half_close_failed(Output& output) {
    end_towards(Side::backend, {close_code::going_away, {}}, output);
}

void HeadersDelivery::end_towards(Side to, const Close& close, Output& output) {
    if (closing(to).sent || cut(to)) { return; }
    Stream& source = stream(other(to));
    if (source.follower.at_boundary()) {
        put_close(to, close, output);
    } else if (!source.ending) {
        source.ending = close;
    }
}

// What has been put off comes first: how the client itself has ended the connection.
void HeadersDelivery::put_close(Side to, const Close& close, Output& output) {
    const Close& chosen = to == Side::client && put_off_ ? *stream(Side::backend).ending : close;
    std::optional<websocket::MaskKey> key;
    if (to == Side::backend) { key = keys_.next(); }
    websocket::append_close(output.to(to), chosen.code, chosen.reason, key);
    mark(to).sent = true;
}

}  // namespace ws::relay
