// What a backend receives in envelope delivery: one JSON object per event.
#pragma once

#include "context/context.h"
#include "context/message_type.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ws::context {

// Of the upgrade request; any bytes (invalid UTF-8 becomes U+FFFD).
struct RequestInfo {
    std::string_view uri;
    std::string_view host;
    std::string_view remote_addr;
    std::string_view protocol;       // the subprotocol; left out if empty
    std::string_view traceparent{};  // for this envelope alone; left out if empty
};

// Writes the envelopes of one connection, each appended to `out`.
class EnvelopeWriter final {
public:
    // A `traceparent` stands in each envelope.
    explicit EnvelopeWriter(std::string_view connection_id, std::string_view traceparent = {});

    void open(std::string& out, const Context& context, const RequestInfo& request) const;

    // A null context is left out (ws_envelope_context changed). `payload` must be valid UTF-8 for text, what
    // is_json_value takes for json, and may be anything for binary.
    void message(std::string& out, const Context* context, std::uint64_t seq, MessageType type,
                 std::string_view payload) const;

    // How many bytes message() makes of a payload.
    [[nodiscard]] static std::size_t data_size(MessageType type, std::string_view payload) noexcept;

    void context(std::string& out, const Context& context) const;

    void close(std::string& out, std::uint16_t code, std::string_view reason) const;

private:
    void begin(std::string& out, std::string_view event) const;

    std::string connection_;  // ,"connection":"…" and what else is the same in all
};

}  // namespace ws::context
