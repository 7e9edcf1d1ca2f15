#include "websocket/follower.h"

#include <algorithm>

namespace ws::websocket {

bool Follower::follow(std::string_view data) noexcept {
    const std::size_t size = data.size();
    sound_ = 0;
    while (!data.empty() && (in_payload_ || !close_seen_)) {
        if (!in_payload_ && !begin_frame(data)) { break; }
        skip_payload(data);
        sound_ = size - data.size();
    }
    return !violated();
}

std::size_t Follower::follow_to_boundary(std::string_view data) noexcept {
    return at_boundary() ? 0 : follow_frame(data);
}

std::size_t Follower::follow_frame(std::string_view data) noexcept {
    if (violated()) { return 0; }
    std::string_view rest = data;
    if (in_payload_ || begin_frame(rest)) { skip_payload(rest); }
    return violated() ? 0 : data.size() - rest.size();
}

std::uint16_t Follower::close_code() const noexcept { return code_bytes_ == 2 ? code_ : close_code::none; }

// False when the header is not whole yet, or breaks the protocol.
bool Follower::begin_frame(std::string_view& data) noexcept {
    FrameHeader header;
    if (reader_.read(data, header) != HeaderReader::Status::whole) { return false; }
    remaining_ = header.length;
    mask_ = header.mask;
    in_payload_ = true;
    ends_message_ = header.fin && !is_control(header.opcode);
    close_seen_ = header.opcode == Opcode::close;
    return true;
}

void Follower::skip_payload(std::string_view& data) noexcept {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, data.size()));
    if (close_seen_) { read_close_code(data.substr(0, n)); }
    data.remove_prefix(n);
    remaining_ -= n;
    if (remaining_ == 0) {
        in_payload_ = false;
        messages_ += ends_message_ ? 1 : 0;
    }
}

void Follower::read_close_code(std::string_view piece) noexcept {
    for (; code_bytes_ < 2 && !piece.empty(); piece.remove_prefix(1)) {
        const auto byte = static_cast<std::uint8_t>(static_cast<std::uint8_t>(piece.front()) ^ mask_[code_bytes_]);
        code_ = static_cast<std::uint16_t>(code_ << 8 | byte);
        ++code_bytes_;
    }
}

}  // namespace ws::websocket
