#include "control/response.h"

#include "context/json.h"

namespace ws::control {

namespace {

constexpr std::string_view json = "application/json";

std::string_view title(int status) noexcept {
    switch (status) {
        case status::bad_request: return "Bad Request";
        case status::not_found: return "Not Found";
        case status::not_allowed: return "Method Not Allowed";
        case status::conflict: return "Conflict";
        case status::gone: return "Gone";
        case status::too_large: return "Content Too Large";
        case status::unsupported_type: return "Unsupported Media Type";
        case status::unavailable: return "Service Unavailable";
        case status::timeout: return "Gateway Timeout";
        default: return "Internal Server Error";
    }
}

std::string page(const Answer& answer) {
    std::string text = "{\"connections\":[";
    for (const std::string& connection : answer.connections) {
        if (text.back() != '[') { text += ','; }
        text += connection;
    }
    text += "],\"next\":";
    if (answer.more && !answer.connections.empty()) {
        text.append("\"").append(described_id(answer.connections.back())).append("\"");
    } else {
        text += "null";
    }
    return text += '}';
}

}  // namespace

Response problem(int status, std::string_view detail) {
    std::string text = "{\"status\":" + std::to_string(status) + ",\"title\":\"" + std::string(title(status)) + '"';
    if (!detail.empty()) {
        text += ",\"detail\":";
        context::append_ascii_string(text, detail);
    }
    return {status, "application/problem+json", text += '}'};
}

Response respond(const Request& request, const Answer& answer) {
    if (std::holds_alternative<CloseAll>(request) && answer.status == status::timeout) {
        return problem(answer.status, answer.detail + "; closed by then: " + std::to_string(answer.closed));
    }
    if (answer.status >= status::bad_request) { return problem(answer.status, answer.detail); }
    if (std::holds_alternative<List>(request)) { return {status::ok, json, page(answer)}; }
    if (std::holds_alternative<CloseAll>(request)) {
        return {status::ok, json, "{\"closed\":" + std::to_string(answer.closed) + '}'};
    }
    if (std::holds_alternative<Look>(request) && answer.connections.size() == 1) {
        return {status::ok, json, answer.connections[0]};
    }
    return {answer.status, {}, {}};
}

}  // namespace ws::control
