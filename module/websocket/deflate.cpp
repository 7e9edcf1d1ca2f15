#include "websocket/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace ws::websocket {

namespace {

// zlib's buffers come from where all of ours come from.
voidpf allocate(voidpf, uInt items, uInt size) {
    return ::operator new(static_cast<std::size_t>(items) * size, std::nothrow);
}

void give_back(voidpf, voidpf memory) { ::operator delete(memory); }

void prepare(z_stream& stream) noexcept {
    stream.zalloc = allocate;
    stream.zfree = give_back;
}

// zlib counts in unsigned int. Returns how much of `size` the stream was given.
uInt portion(std::size_t size) noexcept {
    return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

// RFC 7692 7.2.1: what an empty block without compression ends with, and what is left off.
constexpr std::string_view tail("\0\0\xff\xff", 4);

// zlib reads through this pointer, it does not write.
Bytef* bytes(const char* data) noexcept { return reinterpret_cast<Bytef*>(const_cast<char*>(data)); }

}  // namespace

void Inflater::End::operator()(z_stream_s* stream) const noexcept {
    inflateEnd(stream);
    delete stream;
}

void Deflater::End::operator()(z_stream_s* stream) const noexcept {
    deflateEnd(stream);
    delete stream;
}

Inflater::Inflater(Options options) noexcept : options_(options) {}

z_stream_s& Inflater::started() {
    if (!stream_) {
        stream_.reset(new z_stream{});
        prepare(*stream_);
        if (inflateInit2(stream_.get(), -options_.window_bits) != Z_OK) { throw std::bad_alloc(); }
        if (!window_.empty() &&
            inflateSetDictionary(stream_.get(), bytes(window_.data()), portion(window_.size())) != Z_OK) {
            throw std::bad_alloc();
        }
        std::vector<char>().swap(window_);
    }
    return *stream_;
}

Inflater::Status Inflater::inflate(std::string_view& input, std::span<char>& room) {
    z_stream& stream = started();
    in_message_ = true;
    for (;;) {
        stream.next_in = bytes(input.data());
        stream.avail_in = portion(input.size());
        stream.next_out = bytes(room.data());
        stream.avail_out = portion(room.size());
        const int result = ::inflate(&stream, Z_SYNC_FLUSH);
        input.remove_prefix(portion(input.size()) - stream.avail_in);
        room = room.subspan(portion(room.size()) - stream.avail_out);

        if (result == Z_MEM_ERROR) { throw std::bad_alloc(); }
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) { return Status::corrupt; }
        // zlib.h on data_type: 128 after a block's end, 64 in a last block, and how many bits of the last byte are left
        between_blocks_ = result == Z_STREAM_END || (stream.data_type & ~64) == 128;
        if (result == Z_STREAM_END) {
            // RFC 7692 7.2.3.4: after a block with BFINAL the next one begins at the next byte. To zlib it begins a new
            // stream; the window goes on.
            inflateResetKeep(&stream);
        }
        if (room.empty()) { return Status::full; }
        if (input.empty()) { return Status::need_more; }
    }
}

bool Inflater::end_message() {
    std::string_view input = tail;
    char more;
    std::span<char> room(&more, 1);
    const bool empty_block = inflate(input, room) == Status::need_more && between_blocks_;
    if (!options_.context_takeover) { inflateReset(stream_.get()); }
    in_message_ = false;
    return empty_block;
}

void Inflater::release() {
    if (in_message_ || !stream_) { return; }
    if (options_.context_takeover) {
        uInt size = 0;
        inflateGetDictionary(stream_.get(), nullptr, &size);
        std::vector<char> window(size);
        inflateGetDictionary(stream_.get(), bytes(window.data()), &size);
        window_.swap(window);
    }
    stream_.reset();
}

void Inflater::clear() noexcept {
    stream_.reset();
    std::vector<char>().swap(window_);
    in_message_ = false;
}

Deflater::Deflater(Options options) noexcept : options_(options) {}

z_stream_s& Deflater::started() {
    if (!stream_) {
        stream_.reset(new z_stream{});
        prepare(*stream_);
        const bool smallest = options_.window_bits == 8;
        const int window_bits = smallest ? 9 : options_.window_bits;
        const int strategy = smallest ? Z_RLE : Z_DEFAULT_STRATEGY;
        if (deflateInit2(stream_.get(), options_.level, Z_DEFLATED, -window_bits, options_.mem_level, strategy) !=
            Z_OK) {
            throw std::bad_alloc();
        }
    }
    return *stream_;
}

void Deflater::deflate(std::string_view message, std::string& out) {
    if (message.empty()) {
        out.push_back('\0');
        return;
    }
    z_stream& stream = started();
    std::array<char, 16384> room;
    do {
        if (stream.avail_in == 0) {
            stream.next_in = bytes(message.data());
            stream.avail_in = portion(message.size());
            message.remove_prefix(stream.avail_in);
        }
        stream.next_out = bytes(room.data());
        stream.avail_out = static_cast<uInt>(room.size());
        // It fails only when there is nothing left to do: the last call had filled the room to the last byte.
        (void)::deflate(&stream, message.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
        out.append(room.data(), room.size() - stream.avail_out);
    } while (stream.avail_out == 0 || !message.empty());

    out.resize(out.size() - tail.size());  // a sync flush ends with an empty block without compression
    if (!options_.context_takeover) { deflateReset(&stream); }
}

}  // namespace ws::websocket
