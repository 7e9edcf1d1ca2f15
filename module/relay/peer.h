// One end of a relay, as the relay sees it: bytes in, bytes out, never blocking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ws::relay {

enum class Side : std::uint8_t { client, backend };

[[nodiscard]] constexpr Side other(Side side) noexcept { return side == Side::client ? Side::backend : Side::client; }

// Implemented over ngx_connection_t by nginx/socket.
class Peer {
public:
    enum class Status {
        ok,     // `bytes` were moved
        again,  // nothing can be moved now; an event will tell
        end,    // recv() only: the peer has finished writing
        error,  // the connection is broken, in both directions
    };
    struct Result {
        Result(Status what, std::size_t n, bool may_be_more = true) noexcept
            : status(what), more(may_be_more), bytes(n) {}

        Status status;
        bool more;  // of recv(): there may be more at once. Otherwise an event will tell
        std::size_t bytes;
    };

    [[nodiscard]] virtual Result recv(std::span<char> into) noexcept = 0;
    [[nodiscard]] virtual Result send(std::string_view data) noexcept = 0;

    // What is sent next may wait for finish_sending(), which follows at once: one packet instead of two.
    virtual void hold() noexcept {}

    // Tells the peer that nothing more will be sent (a TCP half-close). False where the transport has no such thing.
    virtual bool finish_sending() noexcept = 0;

protected:
    ~Peer() = default;
};

}  // namespace ws::relay
