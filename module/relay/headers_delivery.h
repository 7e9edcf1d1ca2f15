// `ws_delivery headers`: the context went with the upgrade request; frames pass untouched, whatever their size and their
// extensions. Only their headers are followed, to count messages and to know where a close frame may be put in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "relay/delivery.h"
#include "relay/pong_filter.h"
#include "websocket/follower.h"

namespace ws::relay {

class HeadersDelivery final : public Delivery {
public:
    // `extensions`: the backend's 101 agreed on some. `keys` outlives the delivery.
    HeadersDelivery(bool extensions, MaskKeys& keys) noexcept;

    void consume(Side from, std::span<char>& input, Output& output) override;
    [[nodiscard]] std::size_t whole_messages(Side from, std::string_view input) const noexcept override {
        if (from == Side::client && pongs_.expecting()) { return 0; }
        return stream(from).follower.whole_messages(input);
    }
    [[nodiscard]] CommandResult command(const context::Command& command, Output& output) override;
    [[nodiscard]] bool ping(Output& output) override;
    void ended(Side from, Output& output) override;
    void close(const Close& client, const Close& backend, Output& output) override;
    [[nodiscard]] bool puts_off() const noexcept override {
        return put_off_ && !closing(Side::client).sent && !cut(Side::client);
    }
    void answer(Output& output) override;
    [[nodiscard]] bool half_close() const noexcept override { return true; }
    void half_close_failed(Output& output) override;

private:
    // What flows from one side to the other.
    struct Stream {
        websocket::Follower follower;
        std::optional<Close> ending;  // to be put in at the next boundary
    };

    [[nodiscard]] Stream& stream(Side from) noexcept { return streams_[from == Side::client ? 0 : 1]; }
    [[nodiscard]] const Stream& stream(Side from) const noexcept { return streams_[from == Side::client ? 0 : 1]; }
    void pass_without_pong(std::string_view data, Output& output);
    void pass(Side from, std::string_view data, Output& output);
    void pass_around_inserts(std::string_view data, Output& output);
    void pass_last_frame(Side from, std::string_view data, Output& output);
    void pass_last_words(std::string_view data, Output& output);
    void note_close(Side from);
    void discard(Side from, std::string_view data) noexcept;
    void fail(Side from, Output& output);
    void end_towards(Side to, const Close& close, Output& output);
    void put_close(Side to, const Close& close, Output& output);

    std::array<Stream, 2> streams_;
    PongFilter pongs_;
    MaskKeys& keys_;
    std::string inserts_;   // frames of ours that wait for the end of the backend's message under way
    bool put_off_ = false;  // the backend's `ending` is for where its close frame would be
};

}  // namespace ws::relay
