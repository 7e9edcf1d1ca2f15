// `ws_delivery http`: the gateway ends the WebSocket itself; each message of the client is a request to the backend, with the
// context in its headers, and the reply is the answer to the client. There is no backend connection: the backend's half of
// the relay stays empty, and counts as closed once the `close` event has been answered.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "relay/delivery.h"
#include "relay/requests.h"
#include "websocket/decoder.h"
#include "websocket/deflate.h"
#include "websocket/extensions.h"

namespace ws::relay {

// ws_http_error: what a client is told about a message whose request has failed.
enum class HttpErrorPolicy : std::uint8_t { ignore, message, close };

// A request that has failed, or a reply that makes no sense.
struct HttpFailure {
    std::uint64_t total;  // of the connection by now
    std::uint64_t sequence;
    bool answered;  // with a 2xx: it is the reply
    std::string_view why;
};
using OnFailure = std::function<void(const HttpFailure&)>;

struct HttpOptions {
    websocket::Limits limits{};
    bool json_data = false;  // ws_http_data json
    HttpErrorPolicy error = HttpErrorPolicy::ignore;
    std::uint32_t concurrency = 1;                // requests under way at a time
    std::size_t max_waiting = 64;                 // messages, and
    std::size_t max_waiting_bytes = 1024 * 1024;  // bytes of them that wait for their turn: then the client is not read
    std::size_t max_context = 64 * 1024;          // bytes of JSON that a backend's patches may make of it
    OnFailure on_failure{};
    std::optional<websocket::DeflateParameters> deflate{};  // what was agreed on with the client
    int deflate_level = 1;
    std::size_t deflate_min_length = 0;
};

class HttpDelivery final : public Delivery {
public:
    // `context` is not null. `requests` outlives the delivery. The `open` event has been answered.
    HttpDelivery(std::shared_ptr<const context::Context> context, HttpOptions options, Requests& requests);

    // What the backend has answered to an event; resume() acts on it.
    void answered(HttpEvent::Kind kind, std::uint64_t sequence, HttpReply reply);

    // Acts on the answer to `open`, if there is more to it than that the connection may be.
    void open(Output& output) override { resume(output); }
    void consume(Side from, std::span<char>& input, Output& output) override;
    void resume(Output& output) override;
    void proceed(Output& output) override;
    [[nodiscard]] bool full() const noexcept override;
    [[nodiscard]] CommandResult command(const context::Command& command, Output& output) override;
    [[nodiscard]] const context::Context* context() const noexcept override { return context_.get(); }
    void change_context(std::shared_ptr<const context::Context> context, Output& output) override;
    void revoke() override;
    [[nodiscard]] bool ping(Output& output) override;
    void release() override;
    [[nodiscard]] bool releasable() const noexcept override { return inflater_ != nullptr; }
    [[nodiscard]] bool storing() const noexcept override { return from_client_.message_in_progress(); }
    void ended(Side from, Output& output) override;
    void close(const Close& client, const Close& backend, Output& output) override;
    [[nodiscard]] bool puts_off() const noexcept override { return ending_ != nullptr && !given_up_; }
    void answer(Output& output) override;

private:
    struct Answer {
        HttpEvent::Kind kind;
        std::uint64_t sequence;
        HttpReply reply;
    };
    // How the connection ends, once what was accepted has been answered.
    struct Ending {
        Close client;        // the close frame
        std::uint16_t code;  // of the `close` event
        std::string reason;
    };

    void on_client(const websocket::Event& event, Output& output);
    void on_message(const websocket::Event& event);
    void on_answer(Answer& answer, Output& output);
    void on_reply(Answer& answer, Output& output);
    void send_client(websocket::Opcode type, std::string_view payload, Output& output);
    void send_body(websocket::Opcode type, std::string& body, Output& output);
    [[nodiscard]] bool patch_context(std::string_view merge_patch);
    void close_by_backend(std::uint16_t code, std::string_view reason, Output& output);
    void fail(const Answer& answer, std::string_view why, Output& output);
    void note_failure(const Answer& answer, std::string_view why);
    void end(Ending ending);
    void close_client(Output& output);
    void start_close_event();

    std::unique_ptr<websocket::Inflater> inflater_;
    std::unique_ptr<websocket::Deflater> deflater_;
    websocket::Decoder from_client_;
    std::shared_ptr<const context::Context> context_;
    HttpOptions options_;
    Requests& requests_;
    std::list<HttpEvent> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::vector<Answer> answers_;
    std::unique_ptr<Ending> ending_;
    bool revoked_ = false;
    bool given_up_ = false;  // what was accepted, or all of it is done
    std::uint32_t under_way_ = 0;
    std::uint64_t failures_ = 0;
};

}  // namespace ws::relay
