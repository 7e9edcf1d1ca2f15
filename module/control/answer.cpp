#include "control/answer.h"

#include "context/json.h"
#include "control/request.h"

namespace ws::control {

namespace {

constexpr std::string_view before_id = "{\"id\":\"";
constexpr std::size_t id_size = 32;

void append_text(std::string& out, std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    if (value.empty()) {
        out += "null";
    } else {
        context::append_ascii_string(out, value);
    }
}

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
    out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

}  // namespace

std::string describe(const Description& connection) {
    std::string out(before_id);
    out.append(connection.id).append("\"");
    append_text(out, "session", connection.session);
    append_text(out, "delivery", connection.delivery);
    append_text(out, "path", connection.path);
    append_text(out, "client", connection.client);
    append_number(out, "age_ms", connection.age_ms);
    append_number(out, "messages_in", connection.messages_in);
    append_number(out, "messages_out", connection.messages_out);
    append_number(out, "bytes_in", connection.bytes_in);
    append_number(out, "bytes_out", connection.bytes_out);
    out.append(",\"context\":").append(connection.context.empty() ? "null" : connection.context).append("}");
    return out;
}

std::string_view described_id(std::string_view connection) noexcept {
    if (!connection.starts_with(before_id)) { return {}; }
    const std::string_view id = connection.substr(before_id.size()).substr(0, id_size);
    return is_id(id) ? id : std::string_view{};
}

}  // namespace ws::control
