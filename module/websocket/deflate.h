// permessage-deflate's two halves (RFC 7692 7.2): zlib's raw streams, a message at a time.
//
// Each connection has one of each, made with what negotiate_extensions() agreed on. A stream takes its memory at the first
// message and gives it back in release(), which is for connections that idle. Heap, with zlib 1.2.13 on 64 bits:
//
//     window_bits                    8        9        10       12       15
//     Inflater, used                 7.2 K    7.5 K    8 K      11 K     39 K     7 K and the window
//     Inflater, released             256 B    512 B    1 K      4 K      32 K     at most: what the window holds so far;
//                                                                                 nothing without context takeover
//     Deflater, mem_level 1          9 K      9 K      11 K     23 K     135 K    6 K, 4 windows and 2^(mem_level + 9)
//     Deflater, mem_level 5          24 K     24 K     26 K     38 K     150 K
//     Deflater, mem_level 8          136 K    136 K    138 K    150 K    262 K
//     Deflater, released             nothing
//
// Functions that are not noexcept throw std::bad_alloc, and nothing else; then the stream is of no more use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct z_stream_s;

namespace ws::websocket {

class Inflater {
public:
    // What the sender may do: window_bits from 8 to 15.
    struct Options {
        std::uint8_t window_bits = 15;
        bool context_takeover = true;
    };
    enum class Status {
        need_more,  // all input is used and all of its output written
        full,       // `room` is used up; there may be more output
        corrupt,    // no DEFLATE, or it refers to data before the window; clear() is all that is left to do
    };

    explicit Inflater(Options options) noexcept;

    // Takes compressed bytes from the front of `input`, writes to the front of `room` (not empty) and shortens both. Never
    // writes more than `room`: a bomb is stopped by calling no more. Blocks with BFINAL may come anywhere (7.2.3.4).
    [[nodiscard]] Status inflate(std::string_view& input, std::span<char>& room);

    // The message is over, need_more has been returned for the last of it. Adds what its sender left off (7.2.2). False when
    // the message was cut off, that is, when this does not complete an empty block (7.2.1); then as after corrupt.
    [[nodiscard]] bool end_message();

    // Gives memory back, between messages; in the middle of one it does nothing. With context takeover the next message may
    // refer to the window, so that is kept, as large as it is, and put back when the next message comes.
    void release();

    // Gives everything back: nothing will be inflated any more.
    void clear() noexcept;

private:
    struct End {
        void operator()(z_stream_s* stream) const noexcept;
    };
    [[nodiscard]] z_stream_s& started();

    std::unique_ptr<z_stream_s, End> stream_;
    std::vector<char> window_;  // while released
    Options options_;
    bool in_message_ = false;
    bool between_blocks_ = false;  // the input so far ends with a whole block at a whole byte
};

class Deflater {
public:
    struct Options {
        std::uint8_t window_bits = 15;  // what the receiver allows, 8 to 15
        bool context_takeover = true;
        int level = 1;      // zlib's 1 (fast) to 9 (small)
        int mem_level = 8;  // zlib's 1 to 9
    };

    // With window_bits 8 only runs of one byte are found (and bytes are Huffman coded): zlib can't make raw streams with a
    // window of 256 bytes, and with the next larger one it makes no promise that it won't refer further back. Of its
    // strategy Z_RLE it promises a distance of one.
    explicit Deflater(Options options) noexcept;

    // Appends the compressed message, without the tail (7.2.1). An empty message is one byte, 0x00 (as 7.2.3.6).
    void deflate(std::string_view message, std::string& out);

    // Gives all memory back. The next message starts with an empty window. The receiver need not know: with context
    // takeover a sender may refer to earlier messages (7.1.1), and nothing says it has to.
    void release() noexcept { stream_.reset(); }

private:
    struct End {
        void operator()(z_stream_s* stream) const noexcept;
    };
    [[nodiscard]] z_stream_s& started();

    std::unique_ptr<z_stream_s, End> stream_;
    Options options_;
};

}  // namespace ws::websocket
