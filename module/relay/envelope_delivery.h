// `ws_delivery envelope`: each message of the client reaches the backend inside a JSON envelope with the context; what the
// backend sends reaches the client as it is, or, with replies on, as the commands that it contains.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "context/context.h"
#include "context/envelope.h"
#include "relay/delivery.h"
#include "websocket/decoder.h"
#include "websocket/deflate.h"
#include "websocket/extensions.h"

namespace ws::relay {

// Hears of each message of the backend that was no valid command, and was dropped: how many by now, and why this one.
using OnDropped = std::function<void(std::uint64_t total, std::string_view why)>;

struct EnvelopeOptions {
    bool json_data = false;               // ws_envelope_data json
    bool context_always = true;           // ws_envelope_context always
    bool replies = false;                 // ws_envelope_replies on
    bool traceparent_always = false;      // ws_traceparent messages
    websocket::Limits limits{};           // of a client's messages, and of a backend's
    std::size_t max_context = 64 * 1024;  // bytes of JSON that a backend's patches may make of it
    OnDropped on_dropped{};
    std::optional<websocket::DeflateParameters> deflate{};  // what was agreed on with the client
    int deflate_level = 1;
    std::size_t deflate_min_length = 0;  // smaller messages to the client go as they are
};

// What the `open` envelope tells about the upgrade request; copied.
struct OpenRequest {
    std::string uri;
    std::string host;
    std::string remote_addr;
    std::string protocol;
    std::string traceparent{};  // empty: there is none
};

class EnvelopeDelivery final : public Delivery {
public:
    // `context` is not null. `keys` outlives the delivery.
    EnvelopeDelivery(std::string_view connection_id, std::shared_ptr<const context::Context> context,
                     OpenRequest request, EnvelopeOptions options, MaskKeys& keys);

    void open(Output& output) override;
    void consume(Side from, std::span<char>& input, Output& output) override;
    void change_context(std::shared_ptr<const context::Context> context, Output& output) override;
    [[nodiscard]] CommandResult command(const context::Command& command, Output& output) override;
    [[nodiscard]] const context::Context* context() const noexcept override { return context_.get(); }
    [[nodiscard]] bool ping(Output& output) override;
    void release() override;
    [[nodiscard]] bool releasable() const noexcept override { return inflater_ != nullptr; }
    [[nodiscard]] bool storing() const noexcept override { return from_client_.message_in_progress(); }
    void ended(Side from, Output& output) override;
    void close(const Close& client, const Close& backend, Output& output) override;
    [[nodiscard]] bool puts_off() const noexcept override { return answer_ != nullptr; }
    void answer(Output& output) override;

private:
    void send_client(websocket::Opcode type, std::string_view payload, Output& output);
    void on_client(const websocket::Event& event, Output& output);
    void on_backend(const websocket::Event& event, Output& output);
    void on_client_message(const websocket::Event& event, Output& output);
    void on_command(const websocket::Event& event, Output& output);
    [[nodiscard]] std::string_view patch_context(std::string_view merge_patch);
    void drop(std::string_view why);
    template <class Write>
    void write_envelope(Output& output, std::size_t payload, Write write);
    void end_by_client(Close answer, std::uint16_t frame_code, std::string_view reason, Output& output);
    void close_client(std::uint16_t code, std::string_view reason, Output& output);
    void close_backend(std::uint16_t event_code, std::uint16_t frame_code, std::string_view reason, Output& output);

    std::unique_ptr<websocket::Inflater> inflater_;
    std::unique_ptr<websocket::Deflater> deflater_;
    websocket::Decoder from_client_;
    websocket::Decoder from_backend_;
    context::EnvelopeWriter writer_;
    std::shared_ptr<const context::Context> context_;
    std::unique_ptr<const OpenRequest> request_;  // until `open` has been sent
    std::unique_ptr<const Close> answer_;         // what the client gets once the backend has closed, too
    EnvelopeOptions options_;
    MaskKeys& keys_;
    std::uint64_t dropped_ = 0;
};

}  // namespace ws::relay
