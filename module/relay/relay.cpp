#include "relay/relay.h"

#include <algorithm>
#include <utility>

namespace ws::relay {

namespace {

// Reads per event, so that one busy connection doesn't keep a worker from the others.
constexpr int turns = 16;

// A side that doesn't read the answers to what it sends itself (pongs, say) is not read any more while so much of them waits.
constexpr std::size_t most_answers = 64 * 1024;

// How long nothing comes until the delivery gives memory back.
constexpr Milliseconds release_after{10000};

void recycle(std::string& text) {
    text.clear();
    if (text.capacity() > kept_capacity) { std::string().swap(text); }
}

}  // namespace

Relay::Relay(Peer& client, Peer& backend, std::unique_ptr<Delivery> delivery, const Timeouts& timeouts,
             const GateLimits& limits, Scratch& scratch, std::size_t max_pending) noexcept
    : halves_{Half(client), Half(backend)},
      delivery_(std::move(delivery)),
      scratch_(scratch),
      timeouts_(timeouts),
      gate_(limits),
      heartbeat_(timeouts.ping, timeouts.pong),
      max_pending_(max_pending) {}

Relay::State Relay::start(std::string_view early_client, std::string_view early_backend, Milliseconds now) {
    started_ = now;
    last_activity_ = now;
    heartbeat_.hear(now);
    half(Side::client).begin_with(early_client);
    half(Side::backend).begin_with(early_backend);
    delivery_->open(scratch_.output);
    flush_output(Side::client, now);
    // The backend first: what it said before the client spoke.
    const bool backend_busy = pump(Side::backend, now);
    const bool client_busy = pump(Side::client, now);
    return settle(backend_busy || client_busy, now);
}

// Nearly all events are this one: whole messages have come where nothing waits, they leave as they are, and all times are put off.
Relay::State Relay::readable(Side side, Milliseconds now) {
    if (!flows_) { return settle(pump(side, now), now); }
    const Peer::Result read = half(side).recv(scratch_.input);
    const std::string_view input(scratch_.input.data(), read.bytes);
    const std::size_t messages = delivery_->whole_messages(side, input);
    if (messages == 0 || (side == Side::client && !gate_.admit_messages(messages, now))) {
        const State state = settle(take(side, read, now) && pump(side, now), now);
        return state == State::open && flows_ ? State::steady : state;
    }
    if (side == Side::client) { heartbeat_.hear(now); }
    last_activity_ = now;
    delivery_->count_messages(side, messages);
    Half& to = half(other(side));
    const std::string_view rest = to.send(input, now);
    if (rest.empty() && !to.dead() && !read.more) { return State::steady; }
    to.keep(rest);
    return settle(read.more && pump(side, now), now);
}

Relay::State Relay::writable(Side side, Milliseconds now) {
    if (half(side).flush(now)) { last_activity_ = now; }
    proceed(now);
    const bool other_busy = pump(other(side), now);
    const bool busy = pump(side, now);
    return settle(other_busy || busy, now);
}

Relay::State Relay::close(const Close& client, const Close& backend, Milliseconds now) {
    delivery_->note_end(End::Cause::gateway, client.code, client.reason);
    delivery_->close(client, backend, scratch_.output);
    flush_output(Side::client, now);
    // Also when neither close frame could be put in yet: frames that never end must not keep the connection.
    if (!closing_since_) { closing_since_ = now; }
    return settle(false, now);
}

Relay::State Relay::change_context(std::shared_ptr<const context::Context> context, Milliseconds now) {
    delivery_->change_context(std::move(context), scratch_.output);
    flush_output(Side::client, now);
    return settle(false, now);
}

Relay::State Relay::command(const context::Command& command, CommandResult& result, Milliseconds now) {
    result = CommandResult::ending;
    if (closing_since_) { return settle(false, now); }
    if (const auto* bye = std::get_if<context::CloseCommand>(&command)) {
        result = CommandResult::done;
        delivery_->note_end(End::Cause::gateway, bye->code, "as the operator wished");
        return close({bye->code, bye->reason}, {websocket::close_code::going_away, bye->reason}, now);
    }
    const bool message = std::holds_alternative<context::MessageCommand>(command);
    const Half& client = half(Side::client);
    if (message && client.waiting() >= std::max(most_answers, max_pending_)) {
        result = CommandResult::busy;
        return settle(false, now);
    }
    result = delivery_->command(command, scratch_.output);
    // What is said to a side here is no answer to what that side has sent.
    flush_output(message ? Side::backend : Side::client, now);
    return settle(false, now);
}

Relay::State Relay::resume(Milliseconds now) {
    last_activity_ = now;
    released_ = false;
    delivery_->resume(scratch_.output);
    flush_output(Side::client, now);
    proceed(now);
    return settle(pump(Side::client, now), now);
}

// A delivery goes on only as fast as the client takes what comes of it.
void Relay::proceed(Milliseconds now) {
    if (!half(Side::client).flushed()) { return; }
    delivery_->proceed(scratch_.output);
    flush_output(Side::client, now);
}

Relay::State Relay::expired(Milliseconds now) {
    if (closing_since_) {
        if (now - *closing_since_ >= timeouts_.close) { return State::done; }
        if (delivery_->puts_off() && now - *closing_since_ >= timeouts_.close / 2) {
            delivery_->answer(scratch_.output);
            flush_output(Side::client, now);
        }
    } else if (const auto why = overdue(now)) {
        return close(*why, {websocket::close_code::going_away, why->reason}, now);
    }
    bool busy = false;
    if (paused_until_ && now >= *paused_until_) {
        paused_until_.reset();
        heartbeat_.hear(now);
        busy = pump(Side::client, now);
    }
    if (!released_ && delivery_->releasable() && now - last_activity_ >= release_after) {
        delivery_->release();
        released_ = true;
    }
    if (!closing_since_ && heartbeat_.beats()) { keep_alive(now); }
    return settle(busy, now);
}

// What has lasted too long, and the close frame for it.
std::optional<Close> Relay::overdue(Milliseconds now) {
    if (timeouts_.age.count() > 0 && now - started_ >= timeouts_.age) {
        return Close{websocket::close_code::going_away, "connection too old"};
    }
    if (timeouts_.idle.count() > 0 && now - last_activity_ >= timeouts_.idle) {
        return Close{websocket::close_code::going_away, "idle timeout"};
    }
    for (const Side side : {Side::client, Side::backend}) {
        const auto limit = side == Side::client ? timeouts_.client_send : timeouts_.backend_send;
        const auto& stalled = half(side).stalled();
        if (stalled && now - *stalled >= limit) {
            return Close{websocket::close_code::try_again_later,
                         side == Side::client ? "client reads too slowly" : "backend reads too slowly"};
        }
    }
    if (begun_ && now - *begun_ >= timeouts_.message) {
        if (may_read(Side::client)) {
            const Close why{websocket::close_code::policy_violation, "message takes too long"};
            delivery_->note_end(End::Cause::client, why.code, why.reason);
            return why;
        }
        begun_ = now;  // it is the gateway that doesn't read
    }
    return std::nullopt;
}

void Relay::keep_alive(Milliseconds now) {
    // Who is not read can give no sign of life.
    if (!may_read(Side::client)) { return heartbeat_.hear(now); }
    switch (heartbeat_.due(now)) {
        case Heartbeat::Due::nothing: return;
        case Heartbeat::Due::lost: return lose_client(now);
        case Heartbeat::Due::ping: break;
    }
    // Where a ping can't be put in now, or would only wait behind what the client doesn't read, the next interval will do.
    if (half(Side::client).waiting() > 0 || !delivery_->ping(scratch_.output)) { return heartbeat_.put_off(now); }
    heartbeat_.pinged(now);
    flush_output(Side::backend, now);
}

// A client that gives no sign of life is gone, though its connection isn't.
void Relay::lose_client(Milliseconds now) {
    heartbeat_.lose();
    delivery_->note_end(End::Cause::client, websocket::close_code::abnormal, "client does not answer a ping");
    half(Side::client).end();
    half(Side::client).die();
    delivery_->ended(Side::client, scratch_.output);
    flush_output(Side::client, now);
}

std::optional<Milliseconds> Relay::deadline() const noexcept {
    std::optional<Milliseconds> earliest;
    const auto consider = [&earliest](Milliseconds at) { earliest = earliest ? std::min(*earliest, at) : at; };
    if (closing_since_) {
        consider(*closing_since_ + (delivery_->puts_off() ? timeouts_.close / 2 : timeouts_.close));
    } else {
        if (timeouts_.age.count() > 0) { consider(started_ + timeouts_.age); }
        if (timeouts_.idle.count() > 0) { consider(last_activity_ + timeouts_.idle); }
        if (heartbeat_.beats() && !paused_until_ && !delivery_->full()) { consider(heartbeat_.deadline()); }
        if (const auto& stalled = half(Side::client).stalled()) { consider(*stalled + timeouts_.client_send); }
        if (const auto& stalled = half(Side::backend).stalled()) { consider(*stalled + timeouts_.backend_send); }
        if (begun_) { consider(*begun_ + timeouts_.message); }
    }
    if (paused_until_) { consider(*paused_until_); }
    if (!released_ && delivery_->releasable()) { consider(last_activity_ + release_after); }
    return earliest;
}

// Back-pressure: nothing is read that couldn't be passed on. What waits for a side itself is no reason not to read it: it
// may be stuck in sending, and read nothing before.
bool Relay::may_read(Side side) const noexcept {
    if (side == Side::client && (paused_until_ || delivery_->full())) { return false; }
    return !half(side).ended() && half(other(side)).waiting() <= max_pending_ && half(side).answers() < most_answers;
}

// True when the turns were used up and there may be more to read.
bool Relay::pump(Side from, Milliseconds now) {
    for (int turn = 0; turn < turns; ++turn) {
        if (!may_read(from) || !take(from, half(from).recv(scratch_.input), now)) { return false; }
    }
    return true;
}

// What has been read, into the scratch's input. True when there may be more at once.
bool Relay::take(Side from, const Peer::Result& read, Milliseconds now) {
    if (read.status != Peer::Status::ok) {
        if (half(from).ended()) { end_input(from, now); }
        return false;
    }
    const std::span<char> input(scratch_.input.data(), read.bytes);
    std::span<char> admitted = input;
    if (from == Side::client) {
        heartbeat_.hear(now);
        admitted = input.first(admit(input, now));
    }
    const std::size_t held = input.size() - admitted.size();
    if (!admitted.empty()) { consume(from, admitted, now); }
    const std::size_t rest = admitted.size() + held;
    if (rest > 0) { half(from).give_back(input.last(rest)); }
    flush_output(from, now);
    if (both_finished()) { return false; }
    if (from == Side::client) {
        admitted_ = admitted.size();
        watch_message(now);
        if (held > 0 && admitted.empty() && !enforce(now)) { return false; }
    }
    return read.more || rest > 0;
}

void Relay::end_input(Side from, Milliseconds now) {
    if (delivery_->closing(from).received) { return; }
    delivery_->ended(from, scratch_.output);
    flush_output(from, now);
}

void Relay::consume(Side from, std::span<char>& input, Milliseconds now) {
    delivery_->consume(from, input, scratch_.output);
    if (std::exchange(scratch_.output.only_pong, false)) { return; }
    last_activity_ = now;
    released_ = false;
}

// How much of the client's next bytes the gate lets through, those included that it did before. At the end, all.
std::size_t Relay::admit(std::span<const char> input, Milliseconds now) noexcept {
    if (closing_since_) { return input.size(); }
    const std::size_t before = std::min(admitted_, input.size());
    const auto next = input.subspan(before);
    return before + gate_.admit({next.data(), next.size()}, now);
}

// The client has sent more than it may: it is closed, or not read for a while. True when it is to be read on all the same.
bool Relay::enforce(Milliseconds now) {
    if (gate_.verdict() == Gate::Verdict::too_many_messages && gate_.delays()) {
        paused_until_ = now + gate_.wait(now);
        return false;
    }
    const Close why{websocket::close_code::policy_violation, gate_.verdict() == Gate::Verdict::too_many_messages
                                                                 ? "too many messages"
                                                                 : "too many control frames"};
    delivery_->note_end(End::Cause::client, why.code, why.reason);
    delivery_->close(why, {websocket::close_code::going_away, why.reason}, scratch_.output);
    flush_output(Side::client, now);
    closing_since_ = now;
    return true;
}

// Notes when the message began that the delivery is storing.
void Relay::watch_message(Milliseconds now) noexcept {
    if (timeouts_.message.count() == 0 || !delivery_->storing()) {
        begun_.reset();
        return;
    }
    const std::uint64_t number = delivery_->messages(Side::client);
    if (!begun_ || number != begun_number_) {
        begun_ = now;
        begun_number_ = number;
    }
}

void Relay::flush_output(Side from, Milliseconds now) {
    Output& output = scratch_.output;
    if (output.empty()) { return; }
    const std::optional<Side> last = both_finished() ? last_to_get(from) : std::nullopt;
    if (last) { half(*last).hold(); }
    if (!output.forward.empty()) {
        const std::string_view forward = std::exchange(output.forward, {});
        half(other(from)).keep(half(other(from)).send(forward, now));
    }
    for (const Side side : {Side::client, Side::backend}) {
        std::string& data = output.to(side);
        if (data.empty()) { continue; }
        const std::size_t rest = half(side).send(data, now).size();
        if (rest > 0) { half(side).keep(data, rest); }
        if (side == from) { half(side).note_answers(rest); }
        recycle(data);
    }
    // More than a close would do: what the side may still be sending can't make that discard these bytes (RFC 9293 3.6.1).
    if (last) { half(*last).finish_sending(); }
}

// Both sides have finished: who gets the last bytes of all, a close frame for example. Nobody, if others are to follow them.
std::optional<Side> Relay::last_to_get(Side from) noexcept {
    if (!half(Side::client).flushed() || !half(Side::backend).flushed()) { return std::nullopt; }
    Output& output = scratch_.output;
    const auto gets_something = [&output, from](Side side) {
        return !output.to(side).empty() || (side == other(from) && !output.forward.empty());
    };
    const bool client = gets_something(Side::client);
    if (client == gets_something(Side::backend)) { return std::nullopt; }
    return client ? Side::client : Side::backend;
}

bool Relay::finished(Side side) const noexcept { return half(side).ended() || delivery_->closing(side).complete(); }

// A client that only stopped sending still gets its answers: the backend is told in the same way, where it can be.
void Relay::end_half_closed(Milliseconds now) {
    Half& backend = half(Side::backend);
    if (backend.finished_sending() || backend.dead() || !backend.flushed() || backend.half_close()) { return; }
    delivery_->half_close_failed(scratch_.output);
    flush_output(Side::client, now);
}

// Nothing waits, ends, or is timed in another way than from the last activity on.
bool Relay::flows() const noexcept {
    return half(Side::client).flows() && half(Side::backend).flows() && !closing_since_ && !paused_until_ && !begun_ &&
           !heartbeat_.waits() && !released_ && !delivery_->full();
}

Relay::State Relay::settle(bool busy, Milliseconds now) {
    proceed(now);
    const Closing& client = delivery_->closing(Side::client);
    const Closing& backend = delivery_->closing(Side::backend);
    const bool ending = half(Side::client).ended() || half(Side::backend).ended() || client.received || client.sent ||
                        backend.received || backend.sent || delivery_->cut(Side::client) ||
                        delivery_->cut(Side::backend);
    flows_ = !ending && flows();
    if (!ending) { return busy ? State::busy : State::open; }
    if (!closing_since_) { closing_since_ = now; }
    // At the end it is read again: for its close frame.
    if (std::exchange(paused_until_, std::nullopt)) { busy = true; }

    if (half(Side::client).ended() && !client.received && delivery_->half_close() && !backend.sent) {
        end_half_closed(now);
    }
    const auto over = [this] {
        return half(Side::client).flushed() && half(Side::backend).flushed() && both_finished();
    };
    if (over()) { return State::done; }  // both sockets are closed at once, which says all that a half-close would
    // The client first: its close frame may have to wait for the end of the backend's frame, and a backend that can't be
    // half-closed is not read any more after this.
    const bool client_told = half(Side::client).ended() || client.sent || delivery_->cut(Side::client);
    if (delivery_->cut(Side::backend) && client_told) { half(Side::backend).finish_sending(); }
    // RFC 6455 7.1.1: the server is the first to close the TCP connection.
    if (client.complete() || delivery_->cut(Side::client)) { half(Side::client).finish_sending(); }

    if (over()) { return State::done; }
    // A backend that is gone leaves nothing to wait for when its client can't be told.
    if (half(Side::backend).ended() && delivery_->cut(Side::client) && half(Side::client).flushed()) {
        return State::done;
    }
    return busy ? State::busy : State::open;
}

}  // namespace ws::relay
