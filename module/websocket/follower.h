// Follows the frame headers of a stream that is passed on untouched: counts messages, knows where a frame may be put in
// between, sees the close code. Payloads are skipped, not read. Stores no payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "websocket/close_code.h"
#include "websocket/frame.h"

namespace ws::websocket {

class Follower {
public:
    // `extensions`: the two ends agreed on extensions, so data frames may have reserved bits.
    Follower(Sender sender, bool extensions) noexcept
        : reader_(sender, extensions ? Extensions::any : Extensions::none) {}

    // Follows all of `data`. False when a header breaks the protocol, now or earlier; reason() says how.
    // What comes after a whole close frame is not looked at (RFC 6455 5.5.1: nothing may).
    [[nodiscard]] bool follow(std::string_view data) noexcept;

    // How much of the last follow()'s data came before the header that broke the protocol, or is not whole yet.
    [[nodiscard]] std::size_t sound() const noexcept { return sound_; }

    // Follows `data` only up to the end of the frame under way, and returns how many bytes that took: 0 at a boundary, all
    // of `data` when the frame does not end in it. 0 as well when a header breaks the protocol: then violated() is true.
    [[nodiscard]] std::size_t follow_to_boundary(std::string_view data) noexcept;

    // The same, but at a boundary it is the next frame that is followed to its end.
    [[nodiscard]] std::size_t follow_frame(std::string_view data) noexcept;

    // Between two frames: here another frame may be put into the stream (unless close_seen()).
    [[nodiscard]] bool at_boundary() const noexcept { return !in_payload_ && !reader_.in_header() && !violated(); }

    // Between two messages: here a message may be put in as well (RFC 6455 5.4: not between the fragments of another).
    [[nodiscard]] bool between_messages() const noexcept { return at_boundary() && !reader_.in_fragments(); }

    // How many messages `data`, which continues the stream, is, when nothing but whole ones lie there, each in one frame; 0:
    // it is something else. They need not be followed then: that would leave all as it is but messages().
    [[nodiscard]] std::size_t whole_messages(std::string_view data) const noexcept {
        return between_messages() && !close_seen_ ? reader_.whole_messages(data) : 0;
    }

    // Text and binary messages that have come to their end.
    [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

    // The header of a close frame has been read. Its code: close_code::none until readable, or when it has none.
    [[nodiscard]] bool close_seen() const noexcept { return close_seen_; }
    [[nodiscard]] std::uint16_t close_code() const noexcept;

    [[nodiscard]] bool violated() const noexcept { return !reader_.reason().empty(); }
    [[nodiscard]] std::string_view reason() const noexcept { return reader_.reason(); }

private:
    [[nodiscard]] bool begin_frame(std::string_view& data) noexcept;
    void skip_payload(std::string_view& data) noexcept;
    void read_close_code(std::string_view piece) noexcept;

    HeaderReader reader_;
    std::uint64_t remaining_ = 0;  // payload bytes of the current frame still to come
    std::uint64_t messages_ = 0;
    std::size_t sound_ = 0;
    MaskKey mask_{};  // of the close frame
    std::uint16_t code_ = 0;
    std::uint8_t code_bytes_ = 0;  // how many of its two bytes have been read
    bool in_payload_ = false;
    bool ends_message_ = false;  // the current frame is the last of a message
    bool close_seen_ = false;
};

static_assert(sizeof(Follower) <= 80, "exists twice per connection");

}  // namespace ws::websocket
