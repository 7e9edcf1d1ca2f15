// How messages travel between a client and its backend, one class per `ws_delivery`: bytes of one side in, bytes for
// both sides out. No socket, no clock: the relay moves the bytes and keeps the time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "context/command.h"
#include "context/context.h"
#include "relay/peer.h"
#include "websocket/close_code.h"
#include "websocket/mask.h"

namespace ws::relay {

// What one step produced. `forward` is a piece of the step's input, to be sent before `client` or `backend`.
struct Output {
    std::string_view forward;  // to the side opposite to where the input came from
    std::string client;
    std::string backend;
    bool only_pong = false;  // the input was nothing but answers to the gateway's pings: a sign of life, no activity

    [[nodiscard]] std::string& to(Side side) noexcept { return side == Side::client ? client : backend; }
    [[nodiscard]] bool empty() const noexcept { return forward.empty() && client.empty() && backend.empty(); }
    // Past this a step stops and leaves the rest of its input, so that many small messages can't grow without bound.
    [[nodiscard]] bool full() const noexcept { return client.size() + backend.size() >= 64 * 1024; }
};

// A close frame's content (RFC 6455 5.5.1).
struct Close {
    std::uint16_t code = websocket::close_code::none;
    std::string reason;
};

// Where one side's closing handshake stands (RFC 6455 7.1).
struct Closing {
    bool received = false;  // the side has sent its close frame
    bool sent = false;      // the side has been sent one
    [[nodiscard]] bool complete() const noexcept { return received && sent; }
};

// Masking keys for frames towards backends; unpredictable (RFC 6455 10.3).
class MaskKeys {
public:
    [[nodiscard]] virtual websocket::MaskKey next() noexcept = 0;

protected:
    ~MaskKeys() = default;
};

// How a connection came to its end, for the log: the first cause wins.
struct End {
    enum class Cause : std::uint8_t { none, client, backend, gateway } cause = Cause::none;
    std::uint16_t code = websocket::close_code::abnormal;
    std::string detail;      // what a log line says; never a payload
    bool violation = false;  // that side broke the protocol
};

// What became of a command for a connection.
enum class CommandResult {
    done,
    ending,      // the client has been sent a close frame, or will be
    impossible,  // in this delivery
    busy,        // so much waits for the client already
    too_large,
};

class Delivery {
public:
    virtual ~Delivery() = default;

    // Once, before anything else: what the backend is told when the connection opens.
    virtual void open(Output&) {}

    // Takes bytes from the front of `input` (and may alter them). All of them, unless `output` is full.
    virtual void consume(Side from, std::span<char>& input, Output& output) = 0;

    // How many messages `input` is, when nothing but whole ones lie there, which are only to be passed on as they are; 0: consume() is
    // to see it. Whoever sends them himself then says so with count_messages(). Not at the end of the connection.
    [[nodiscard]] virtual std::size_t whole_messages(Side, std::string_view) const noexcept { return 0; }

    // The session has changed. Nothing happens where the context went ahead of the messages and can't be taken back.
    virtual void change_context(std::shared_ptr<const context::Context>, Output&) {}

    // Somebody else in the worker wants something of the connection: sends the client a message, or patches the context. Closing is the
    // relay's business.
    [[nodiscard]] virtual CommandResult command(const context::Command&, Output&) { return CommandResult::impossible; }

    // The context as it is now; null where it went ahead of the messages.
    [[nodiscard]] virtual const context::Context* context() const noexcept { return nullptr; }

    // The session is gone: what waits to be delivered must not be. A close() follows.
    virtual void revoke() {}

    // What the delivery waits for outside of the relay has come.
    virtual void resume(Output&) {}

    // The client takes what it is given: the delivery may go on with what waits inside it.
    virtual void proceed(Output&) {}

    // So much waits inside the delivery that the client is not to be read.
    [[nodiscard]] virtual bool full() const noexcept { return false; }

    // Asks the client for a sign of life. False when nothing can be put in now.
    [[nodiscard]] virtual bool ping(Output& output) = 0;

    // Nothing has come from either side for a while: memory that only saves work is given back.
    // Called only where there is some.
    virtual void release() {}
    [[nodiscard]] virtual bool releasable() const noexcept { return false; }

    // A message of the client is being stored, and waits for its end.
    [[nodiscard]] virtual bool storing() const noexcept { return false; }

    // `from` will send nothing more, and sent no close frame.
    virtual void ended(Side from, Output& output) = 0;

    // The gateway ends the connection: close frames to both sides, as soon as one may stand there.
    virtual void close(const Close& client, const Close& backend, Output& output) = 0;

    // The client's close frame is put off, so that it still gets the backend's answers to what it sent before. answer() ends that.
    [[nodiscard]] virtual bool puts_off() const noexcept { return false; }
    virtual void answer(Output&) {}

    [[nodiscard]] const Closing& closing(Side side) const noexcept { return closing_[index(side)]; }

    // Nothing more can reach this side as WebSocket: it was left in the middle of a frame, or broke the protocol there.
    [[nodiscard]] bool cut(Side side) const noexcept { return cut_[index(side)]; }

    // Passes a client's half-close on as such, rather than as a close frame.
    [[nodiscard]] virtual bool half_close() const noexcept { return false; }

    // ... but the backend's transport has no such thing: it gets a close frame after all, and may still answer.
    virtual void half_close_failed(Output&) {}

    // Those that were passed on.
    [[nodiscard]] std::uint64_t messages(Side from) const noexcept { return messages_[index(from)]; }
    void count_messages(Side from, std::uint64_t more) noexcept { messages_[index(from)] += more; }

    void note_end(End::Cause cause, std::uint16_t code, std::string_view detail) {
        if (end_.cause == End::Cause::none) { end_ = {cause, code, std::string(detail)}; }
    }
    void note_violation(Side from, std::uint16_t code, std::string_view detail) {
        if (end_.cause != End::Cause::none) { return; }
        end_ = {from == Side::client ? End::Cause::client : End::Cause::backend, code, std::string(detail), true};
    }
    [[nodiscard]] const End& end() const noexcept { return end_; }

protected:
    [[nodiscard]] Closing& mark(Side side) noexcept { return closing_[index(side)]; }
    void mark_cut(Side side) noexcept { cut_[index(side)] = true; }

private:
    static constexpr std::size_t index(Side side) noexcept { return side == Side::client ? 0 : 1; }

    std::array<std::uint64_t, 2> messages_{};
    std::array<Closing, 2> closing_{};
    std::array<bool, 2> cut_{};
    End end_;
};

}  // namespace ws::relay
