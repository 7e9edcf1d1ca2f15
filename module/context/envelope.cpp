#include "context/envelope.h"

#include "context/base64.h"
#include "context/json.h"

#include <charconv>

namespace ws::context {
namespace {

void append_number(std::string& out, std::uint64_t number) {
    char text[24];
    out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

void append_traceparent(std::string& out, std::string_view traceparent) {
    if (traceparent.empty()) { return; }
    out += ",\"traceparent\":";
    append_ascii_string(out, traceparent);
}

}  // namespace

EnvelopeWriter::EnvelopeWriter(std::string_view connection_id, std::string_view traceparent)
    : connection_(",\"connection\":") {
    append_ascii_string(connection_, connection_id);
    append_traceparent(connection_, traceparent);
}

void EnvelopeWriter::begin(std::string& out, std::string_view event) const {
    out += "{\"event\":\"";
    out += event;
    out += '"';
    out += connection_;
}

void EnvelopeWriter::open(std::string& out, const Context& context, const RequestInfo& request) const {
    begin(out, "open");
    append_traceparent(out, request.traceparent);
    out += ",\"context\":";
    out += context.json();
    out += ",\"request\":{\"uri\":";
    append_ascii_string(out, request.uri);
    out += ",\"host\":";
    append_ascii_string(out, request.host);
    out += ",\"remote_addr\":";
    append_ascii_string(out, request.remote_addr);
    if (!request.protocol.empty()) {
        out += ",\"protocol\":";
        append_ascii_string(out, request.protocol);
    }
    out += "}}";
}

void EnvelopeWriter::message(std::string& out, const Context* context, std::uint64_t seq, MessageType type,
                             std::string_view payload) const {
    begin(out, "message");
    out += ",\"seq\":";
    append_number(out, seq);
    if (context != nullptr) {
        out += ",\"context\":";
        out += context->json();
    }
    switch (type) {
        case MessageType::text:
            out += ",\"type\":\"text\",\"data\":";
            append_utf8_string(out, payload);
            break;
        case MessageType::binary:
            out += ",\"type\":\"binary\",\"data\":\"";
            append_base64(out, payload);
            out += '"';
            break;
        case MessageType::json:
            out += ",\"type\":\"json\",\"data\":";
            out += payload;
            break;
    }
    out += '}';
}

std::size_t EnvelopeWriter::data_size(MessageType type, std::string_view payload) noexcept {
    switch (type) {
        case MessageType::text: return utf8_string_size(payload);
        case MessageType::binary: return (payload.size() + 2) / 3 * 4 + 2;
        case MessageType::json: break;
    }
    return payload.size();
}

void EnvelopeWriter::context(std::string& out, const Context& context) const {
    begin(out, "context");
    out += ",\"context\":";
    out += context.json();
    out += '}';
}

void EnvelopeWriter::close(std::string& out, std::uint16_t code, std::string_view reason) const {
    begin(out, "close");
    out += ",\"code\":";
    append_number(out, code);
    out += ",\"reason\":";
    append_ascii_string(out, reason);
    out += '}';
}

}  // namespace ws::context
