#include "relay/half.h"

namespace ws::relay {

namespace {

// Assigning an empty string would keep the memory.
void free_memory(std::string& text) noexcept { std::string().swap(text); }

}  // namespace

Peer::Result Half::recv_again(std::span<char> buffer) {
    const std::size_t n = unread_.copy(buffer.data(), buffer.size());
    unread_.erase(0, n);
    if (unread_.empty()) { free_memory(unread_); }
    return {Peer::Status::ok, n};
}

void Half::note_end(Peer::Status status) noexcept {
    if (status == Peer::Status::again) { return; }
    eof_ = true;
    if (status == Peer::Status::error) { die(); }
}

// After a first attempt that has left some.
std::string_view Half::send_rest(Peer::Status status, std::string_view data, Milliseconds now) {
    while (status == Peer::Status::ok && !data.empty()) {
        const Peer::Result result = peer_.send(data);
        status = result.status;
        taken_ += result.bytes;
        data.remove_prefix(result.bytes);
    }
    if (data.empty()) { return data; }
    if (status == Peer::Status::again) {
        stalled_ = now;
        return data;
    }
    die();
    return {};
}

void Half::keep(std::string& data, std::size_t rest) {
    if (pending_.empty() && data.capacity() > kept_capacity) {
        pending_.swap(data);
        sent_ = pending_.size() - rest;
    } else {
        pending_.append(data, data.size() - rest);
    }
}

bool Half::flush(Milliseconds now) {
    bool moved = false;
    while (!pending_.empty()) {
        const Peer::Result result = peer_.send(std::string_view(pending_).substr(sent_));
        if (result.status == Peer::Status::again) { break; }
        moved = true;
        sent_ += result.bytes;
        taken_ += result.bytes;
        stalled_ = now;
        if (result.status != Peer::Status::ok) {
            die();
        } else if (sent_ == pending_.size()) {
            drop_pending();
        }
    }
    return moved;
}

void Half::die() noexcept {
    dead_ = true;
    drop_pending();
}

void Half::finish_sending() noexcept {
    if (finished_sending_ || dead_ || !flushed()) { return; }
    finished_sending_ = true;
    // Where only the end of the whole connection can tell the peer, nothing more is expected from it.
    if (!peer_.finish_sending()) { eof_ = true; }
}

void Half::drop_pending() noexcept {
    free_memory(pending_);
    sent_ = 0;
    answers_ = 0;
    stalled_.reset();
}

}  // namespace ws::relay
