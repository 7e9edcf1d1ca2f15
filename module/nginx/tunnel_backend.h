// The side of a tunnel that is not the client: what the tunnel needs of it on nginx's events.
#pragma once

#include "nginx/ngx.h"

#include "relay/peer.h"
#include "relay/rate.h"

namespace ws::nginx {

class Tunnel;

class TunnelBackend {
public:
    virtual ~TunnelBackend() = default;

    [[nodiscard]] virtual relay::Peer& peer() noexcept = 0;

    // How long it may take nothing of what waits for it.
    [[nodiscard]] virtual relay::Milliseconds send_timeout() const noexcept = 0;

    // Takes the events over, for this tunnel; the first of them starts it. Throws std::bad_alloc.
    virtual void install(Tunnel& tunnel) = 0;

    // What it has said before it was taken over.
    [[nodiscard]] virtual std::string take_early() = 0;

    // From here on the tunnel keeps the time.
    virtual void delete_timers() noexcept = 0;

    // Asks for the events that the last reads and writes have shown to be needed. False: it can't be used any more.
    [[nodiscard]] virtual bool rearm() noexcept = 0;

    // Nothing can be read from it just now; false where that isn't known.
    [[nodiscard]] virtual bool read_empty() const noexcept { return false; }

    // There is more to read at once: makes a read event come, after others had their turn.
    virtual void read_again() noexcept = 0;

    // Nothing of it, or of what it needs, goes with the client's request; release_request() sees to that.
    [[nodiscard]] virtual bool can_release_request() const noexcept = 0;
    // The request is about to be released, its record made (nginx/released_request.h).
    virtual void release_request() noexcept {}

    // The relay is done: lets nginx finalize the request, which destroys the tunnel on the way.
    virtual void hand_back() noexcept = 0;
};

}  // namespace ws::nginx
