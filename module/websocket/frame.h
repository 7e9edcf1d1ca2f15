// Frames on the wire (RFC 6455 5.2): reading their headers, writing whole ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "websocket/mask.h"

namespace ws::websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

[[nodiscard]] constexpr bool is_control(Opcode opcode) noexcept { return static_cast<std::uint8_t>(opcode) >= 8; }

// Who sent the frames that are read: client frames are masked, server frames are not (RFC 6455 5.1).
enum class Sender : std::uint8_t { client, server };

inline constexpr std::uint8_t rsv1 = 4;  // and RSV2 is 2, RSV3 is 1

// Which reserved bits data frames may have (control frames never have any).
enum class Extensions : std::uint8_t {
    none,     // RFC 6455 5.2: none
    deflate,  // RFC 7692 6: RSV1 on the first frame of a message, which says that the message is compressed
    any,      // all: the extensions are the two ends' own business
};

inline constexpr std::size_t max_header_size = 14;  // RFC 6455 5.2: 2 + 8 of length + 4 of mask

struct FrameHeader {
    bool fin = false;
    std::uint8_t rsv = 0;
    Opcode opcode = Opcode::continuation;
    bool masked = false;
    MaskKey mask{};
    std::uint64_t length = 0;
};

// Reads the frame headers of one direction of one connection. The caller takes the payloads: after each `whole` it skips
// `length` bytes before it reads again. Checks what a header alone can show, the order of fragments included (5.4).
class HeaderReader {
public:
    enum class Status { need_more, whole, violation };

    HeaderReader(Sender sender, Extensions extensions) noexcept : sender_(sender), extensions_(extensions) {}

    // Takes header bytes from the front of `input`. `header` is written only with Status::whole. A violation is final
    // (the caller reads no more), is found at the first byte that shows it, and is told by reason().
    [[nodiscard]] Status read(std::string_view& input, FrameHeader& header) noexcept;

    // How many messages `data` is, when nothing but whole messages lie there, each in one frame; 0: it is something else, which read()
    // will tell. For where a message may begin.
    [[nodiscard]] std::size_t whole_messages(std::string_view data) const noexcept;

    // Some bytes of a header, not all of them, have been read.
    [[nodiscard]] bool in_header() const noexcept { return have_ != 0; }

    // A fragmented message has begun whose final frame's header has not been read.
    [[nodiscard]] bool in_fragments() const noexcept { return in_fragments_; }

    // Short English text after a violation, empty before.
    [[nodiscard]] std::string_view reason() const noexcept { return reason_ != nullptr ? reason_ : std::string_view{}; }

private:
    [[nodiscard]] unsigned reserved_bits() const noexcept;
    [[nodiscard]] bool reserved_bits_allowed(std::uint8_t bits, Opcode opcode) const noexcept;
    [[nodiscard]] bool read_short(const std::uint8_t* bytes, FrameHeader& header) noexcept;
    [[nodiscard]] const char* refuse(const std::uint8_t* bytes, std::size_t n) const noexcept;
    [[nodiscard]] const char* refuse_first(std::uint8_t byte) const noexcept;
    [[nodiscard]] const char* refuse_second(std::uint8_t first, std::uint8_t byte) const noexcept;
    [[nodiscard]] std::size_t size(const std::uint8_t* bytes) const noexcept;  // of the header; two bytes are enough
    void finish(const std::uint8_t* bytes, FrameHeader& header) noexcept;

    const char* reason_ = nullptr;
    std::array<std::uint8_t, max_header_size> bytes_{};
    std::uint8_t have_ = 0;
    Sender sender_;
    Extensions extensions_;
    bool in_fragments_ = false;
};

// Appends a frame's header alone; the caller appends `length` bytes of payload, masked if `mask` is given.
void append_frame_header(std::string& out, Opcode opcode, std::uint64_t length, bool fin, std::optional<MaskKey> mask,
                         std::uint8_t rsv = 0);

[[nodiscard]] std::size_t frame_header_size(std::uint64_t length, bool masked) noexcept;

// For a payload that is written where it will be sent from: appends a place for the header, the caller appends the payload,
// and end_frame() puts the header in and masks. `expected` is what the payload will probably be long: a wrong guess only
// costs a move. Returns the `start` that end_frame() wants.
[[nodiscard]] std::size_t begin_frame(std::string& out, std::uint64_t expected, bool masked);
void end_frame(std::string& out, std::size_t start, std::uint64_t expected, Opcode opcode, std::optional<MaskKey> mask);

// Appends header and payload, masked if `mask` is given (towards a server it must be).
void append_frame(std::string& out, Opcode opcode, std::string_view payload, bool fin, std::optional<MaskKey> mask);

// Appends a close frame. The reason is cut to what fits (123 bytes), between two characters.
// A code that must not stand on the wire (RFC 6455 7.4), close_code::none among them, gives a close frame without a body.
void append_close(std::string& out, std::uint16_t code, std::string_view reason, std::optional<MaskKey> mask);

}  // namespace ws::websocket
