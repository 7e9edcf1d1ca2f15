// One side of a relay: its socket, what waits there to be sent, and what was read from it and not consumed yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "relay/peer.h"
#include "relay/rate.h"

namespace ws::relay {

// A string of a worker's working memory that holds more than that doesn't stay there.
inline constexpr std::size_t kept_capacity = 256 * 1024;

class Half final {
public:
    // The peer outlives it.
    explicit Half(Peer& peer) noexcept : peer_(peer) {}

    // Reading

    // The next bytes into `buffer`, those that were given back before new ones from the socket.
    [[nodiscard]] Peer::Result recv(std::span<char> buffer) {
        if (!unread_.empty()) { return recv_again(buffer); }
        const Peer::Result result = peer_.recv(buffer);
        received_ += result.bytes;
        if (result.status != Peer::Status::ok) { note_end(result.status); }
        return result;
    }

    // What comes first when it is read again.
    void give_back(std::span<const char> bytes) { unread_.insert(0, bytes.data(), bytes.size()); }

    // Bytes that were read before the relay took over.
    void begin_with(std::string_view early) {
        unread_ = early;
        received_ = early.size();
    }

    // Nothing more comes from it.
    void end() noexcept { eof_ = true; }
    [[nodiscard]] bool ended() const noexcept { return eof_; }

    // Sending

    // What has to wait of `data`: the caller keeps it, with one of the next two.
    [[nodiscard]] std::string_view send(std::string_view data, Milliseconds now) {
        if (!pending_.empty() || dead_ || finished_sending_) { return dead_ || finished_sending_ ? "" : data; }
        const Peer::Result result = peer_.send(data);
        taken_ += result.bytes;
        data.remove_prefix(result.bytes);
        return data.empty() ? data : send_rest(result.status, data, now);
    }
    void keep(std::string_view rest) { pending_.append(rest); }
    // The last `rest` bytes of `data`; a large message is not copied for that, but taken.
    void keep(std::string& data, std::size_t rest);

    // Sends what waits, as far as the peer takes it. True: it has taken some.
    bool flush(Milliseconds now);

    // `n` of the bytes that wait are answers to what the side itself has sent.
    void note_answers(std::size_t n) noexcept { answers_ += n; }
    [[nodiscard]] std::size_t answers() const noexcept { return answers_; }

    [[nodiscard]] std::size_t waiting() const noexcept { return pending_.size() - sent_; }
    [[nodiscard]] bool flushed() const noexcept { return dead_ || pending_.empty(); }
    // Since when what waits hasn't moved.
    [[nodiscard]] const std::optional<Milliseconds>& stalled() const noexcept { return stalled_; }

    // It takes nothing more.
    void die() noexcept;
    [[nodiscard]] bool dead() const noexcept { return dead_; }

    // What is sent next may wait for finish_sending(), which follows at once.
    void hold() noexcept { peer_.hold(); }
    // Once all is sent: tells the peer that nothing more will be. Only the end of the whole connection may be able to tell it.
    void finish_sending() noexcept;
    // The same; false where the transport has no such thing, and nothing has been told.
    [[nodiscard]] bool half_close() noexcept { return finished_sending_ = peer_.finish_sending(); }
    [[nodiscard]] bool finished_sending() const noexcept { return finished_sending_; }

    // Nothing waits in either direction.
    [[nodiscard]] bool at_rest() const noexcept { return pending_.empty() && unread_.empty(); }
    // Nothing waits, and both directions are open.
    [[nodiscard]] bool flows() const noexcept { return at_rest() && !eof_ && !dead_ && !finished_sending_; }

    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
    [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

private:
    [[nodiscard]] std::string_view send_rest(Peer::Status status, std::string_view data, Milliseconds now);
    [[nodiscard]] Peer::Result recv_again(std::span<char> buffer);
    void note_end(Peer::Status status) noexcept;
    void drop_pending() noexcept;

    Peer& peer_;
    std::string pending_;         // could not be sent yet
    std::size_t sent_ = 0;        // of `pending_`
    std::size_t answers_ = 0;     // in `pending_`
    std::string unread_;          // came from the peer, not yet consumed
    std::uint64_t received_ = 0;  // bytes from it
    std::uint64_t taken_ = 0;     // bytes by it
    bool eof_ = false;
    bool dead_ = false;
    bool finished_sending_ = false;
    std::optional<Milliseconds> stalled_;
};

}  // namespace ws::relay
