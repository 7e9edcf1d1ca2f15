// From bytes to messages: one direction of a WebSocket that the gateway ends itself (RFC 6455 5 and 7).
//
// Pure: bytes in, events out. Answering pings, sending closes and ending the connection are the caller's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "websocket/close_code.h"
#include "websocket/deflate.h"
#include "websocket/frame.h"
#include "websocket/utf8.h"

namespace ws::websocket {

struct Limits {
    std::uint64_t max_message;    // bytes of payload, over all fragments; inflated, when they are compressed
    std::uint32_t max_fragments;  // frames of one message
};

struct Event {
    enum class Kind {
        need_more,  // the input is used up
        message,    // `type` is text or binary, `payload` the whole message; text is valid UTF-8
        ping,       // `payload`
        pong,       // `payload`
        close,      // `code` (close_code::none without one), `reason`; nothing follows
        violation,  // `code` to close with (1002, 1007, 1008 or 1009), `reason` says what was wrong; nothing follows
    };
    Kind kind = Kind::need_more;
    Opcode type = Opcode::binary;
    std::string_view payload{};
    std::uint16_t code = close_code::none;
    std::string_view reason{};
};

class Decoder {
public:
    // With an `inflater`, which outlives the decoder, messages may be compressed (RFC 7692 has been agreed on).
    Decoder(Sender sender, Limits limits, Inflater* inflater = nullptr) noexcept;

    // Takes bytes from the front of `input`, unmasking them in place, up to the next event. Call until need_more.
    // The event's views point into the input or into the decoder, and are valid until the next call.
    // A message is refused by its declared length, before any of it is stored. Memory grows with what has arrived, not
    // with what was declared, and never beyond max_message and one control frame (twice that while it grows). Between
    // messages none is held once need_more has been returned; what the inflater holds is its owner's to release().
    // A compressed message is inflated, and its text checked, as it arrives: it is refused at the first output beyond
    // max_message, and by its declared length when that can't be honest any more.
    // Throws nothing but std::bad_alloc.
    [[nodiscard]] Event next(std::span<char>& input);

    // The payload of the `message` just given, for keeps: what was stored is handed over rather than copied.
    [[nodiscard]] std::vector<char> take(const Event& message);

    // No frame is under way: every frame that has begun has ended. True in the middle of a fragmented message, too.
    [[nodiscard]] bool at_frame_boundary() const noexcept { return !in_payload_ && !reader_.in_header(); }

    // The header of a message's first frame has been read, and the message has not been given yet.
    [[nodiscard]] bool message_in_progress() const noexcept { return in_message_; }

private:
    [[nodiscard]] Event begin_frame(const FrameHeader& header) noexcept;
    [[nodiscard]] Event take_payload(std::span<char>& input);
    [[nodiscard]] Event take_compressed(std::string_view piece);
    [[nodiscard]] Event inflate(std::string_view compressed);
    [[nodiscard]] Event end_frame(std::string_view payload) noexcept;
    [[nodiscard]] Event end_close(std::string_view payload) noexcept;
    [[nodiscard]] Event violation(std::uint16_t code, std::string_view reason) noexcept;
    void store(std::string_view piece);
    void finish() noexcept;
    void drop_delivered() noexcept;
    void release() noexcept;

    HeaderReader reader_;
    Limits limits_;
    Inflater* inflater_;
    std::vector<char> stored_;        // the message so far, and after it the control frame under way
    std::uint64_t message_size_ = 0;  // declared so far, over the frames of the message
    std::uint64_t held_ = 0;          // of the message, in stored_: what it has there between two frames
    std::uint64_t remaining_ = 0;     // payload bytes of the current frame still to come
    MaskKey mask_{};                  // rotated to the next byte's place
    std::uint32_t fragments_ = 0;
    Utf8Validator utf8_;  // of the text under way; complete between messages
    Opcode frame_opcode_ = Opcode::continuation;
    Opcode message_type_ = Opcode::binary;
    bool frame_fin_ = false;
    bool compressed_ = false;  // the message
    bool in_payload_ = false;  // a frame's header has been read, its event or its end not reached
    bool in_message_ = false;
    bool finished_ = false;  // a close or a violation was given
};

static_assert(sizeof(Decoder) <= 128, "exists twice per connection");

}  // namespace ws::websocket
