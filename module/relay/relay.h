// One connection's life after the 101: reads one side, lets the delivery work, writes the other, pauses who is too fast,
// and knows when it is over. Owns what could not be sent yet; everything else belongs to the worker's Scratch.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "relay/delivery.h"
#include "relay/gate.h"
#include "relay/half.h"
#include "relay/heartbeat.h"
#include "relay/peer.h"

namespace ws::relay {

struct Timeouts {
    Milliseconds idle{};         // without a byte from either side; 0: none
    Milliseconds close{};        // from the first sign of an end to the end
    Milliseconds ping{};         // of silence, until a client is asked for a sign of life; 0: never
    Milliseconds pong{};         // until a client that was asked counts as gone
    Milliseconds client_send{};  // a client that takes nothing of what waits for it
    Milliseconds backend_send{};
    Milliseconds age{};      // of the connection; 0: any
    Milliseconds message{};  // from the first byte of a client's message that is being stored to its last; 0: any
};

// What a relay has seen so far.
struct Tally {
    std::uint64_t client_received = 0;  // bytes
    std::uint64_t client_sent = 0;      // bytes
    std::uint64_t pings = 0;
    std::uint64_t pongs_missed = 0;
};

// Working memory of a worker, shared by all its relays: empty between two calls.
struct Scratch {
    std::array<char, 64 * 1024> input;
    Output output;
};

class Relay final {
public:
    enum class State {
        open,
        steady,  // open, and deadline() is no earlier than it was: who has set a timer needs no other
        busy,  // there is more to read at once: call readable() for both sides again soon, after others had their turn
        done,  // nothing is left to do: both sockets may be closed
    };

    // The peers and the scratch outlive the relay. `now` is any clock that doesn't go backwards. While more than `max_pending`
    // bytes wait for one side, the other isn't read.
    Relay(Peer& client, Peer& backend, std::unique_ptr<Delivery> delivery, const Timeouts& timeouts,
          const GateLimits& limits, Scratch& scratch, std::size_t max_pending = 0) noexcept;

    // `early_client` and `early_backend` are bytes that were read before the relay took over; copied.
    [[nodiscard]] State start(std::string_view early_client, std::string_view early_backend, Milliseconds now);
    [[nodiscard]] State readable(Side side, Milliseconds now);
    [[nodiscard]] State writable(Side side, Milliseconds now);
    [[nodiscard]] State expired(Milliseconds now);

    // Nothing that has been read waits, in either direction.
    [[nodiscard]] bool at_rest() const noexcept { return halves_[0].at_rest() && halves_[1].at_rest(); }

    // Ends the connection with these close frames.
    [[nodiscard]] State close(const Close& client, const Close& backend, Milliseconds now);

    // From here on an end takes no longer than that.
    void shorten_end(Milliseconds time) noexcept { timeouts_.close = std::min(timeouts_.close, time); }

    // The session has changed.
    [[nodiscard]] State change_context(std::shared_ptr<const context::Context> context, Milliseconds now);

    // Somebody else in the worker wants something of this connection; see Delivery::command(). A close command is told to the
    // backend as an end of the gateway's.
    [[nodiscard]] State command(const context::Command& command, CommandResult& result, Milliseconds now);

    // The delivery has got what it waited for outside of the relay, or may try again.
    [[nodiscard]] State resume(Milliseconds now);

    // A step has thrown: what it has put out goes nowhere, since the next step may be another connection's. The relay is of no use
    // any more.
    void abandon() noexcept { scratch_.output = {}; }

    // The session is gone: what waits inside the delivery is dropped. A close() follows.
    void revoke() { delivery_->revoke(); }

    // When expired() wants to be called; it may be called earlier.
    [[nodiscard]] std::optional<Milliseconds> deadline() const noexcept;

    [[nodiscard]] const Delivery& delivery() const noexcept { return *delivery_; }
    [[nodiscard]] Tally tally() const noexcept {
        return {half(Side::client).received(), half(Side::client).taken(), heartbeat_.pings(), heartbeat_.missed()};
    }

private:
    [[nodiscard]] Half& half(Side side) noexcept { return halves_[side == Side::client ? 0 : 1]; }
    [[nodiscard]] const Half& half(Side side) const noexcept { return halves_[side == Side::client ? 0 : 1]; }
    void keep_alive(Milliseconds now);
    [[nodiscard]] std::size_t admit(std::span<const char> input, Milliseconds now) noexcept;
    [[nodiscard]] bool enforce(Milliseconds now);
    void watch_message(Milliseconds now) noexcept;
    [[nodiscard]] std::optional<Close> overdue(Milliseconds now);
    void lose_client(Milliseconds now);
    [[nodiscard]] bool may_read(Side side) const noexcept;
    [[nodiscard]] bool pump(Side from, Milliseconds now);
    [[nodiscard]] bool take(Side from, const Peer::Result& read, Milliseconds now);
    void end_input(Side from, Milliseconds now);
    void consume(Side from, std::span<char>& input, Milliseconds now);
    void flush_output(Side from, Milliseconds now);
    [[nodiscard]] std::optional<Side> last_to_get(Side from) noexcept;
    void proceed(Milliseconds now);
    [[nodiscard]] bool finished(Side side) const noexcept;
    [[nodiscard]] bool both_finished() const noexcept { return finished(Side::client) && finished(Side::backend); }
    void end_half_closed(Milliseconds now);
    [[nodiscard]] bool flows() const noexcept;
    [[nodiscard]] State settle(bool busy, Milliseconds now);

    std::array<Half, 2> halves_;
    std::unique_ptr<Delivery> delivery_;
    Scratch& scratch_;
    Timeouts timeouts_;
    Gate gate_;
    Heartbeat heartbeat_;  // of the client
    std::size_t max_pending_;
    std::size_t admitted_ = 0;                  // of what the client's `unread` begins with
    std::optional<Milliseconds> paused_until_;  // the client is not read: it has sent too much
    std::optional<Milliseconds> begun_;         // when the client's message under way was
    std::uint64_t begun_number_ = 0;            // and how many came before it
    Milliseconds started_{};
    Milliseconds last_activity_{};
    bool released_ = false;  // the delivery's memory, since the last activity
    bool flows_ = false;     // as flows() said after the last step
    std::optional<Milliseconds> closing_since_;
};

}  // namespace ws::relay
