// How `ws_delivery http` reaches a backend: what happens on a connection is an event, each event is one HTTP request, and the
// answer to it a reply. A port: nginx/http_backend makes the requests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "context/context.h"

namespace ws::relay {

struct HttpEvent {
    enum class Kind : std::uint8_t { open, message, close };
    Kind kind = Kind::message;
    std::uint64_t sequence = 0;       // 0 for open, then each event has the next
    std::string_view content_type{};  // of a message; a literal
    std::vector<char> body{};
    std::uint16_t code = 0;  // of a close: how the connection has ended
    std::string reason{};
};

[[nodiscard]] constexpr std::string_view name(HttpEvent::Kind kind) noexcept {
    switch (kind) {
        case HttpEvent::Kind::open: return "open";
        case HttpEvent::Kind::message: return "message";
        case HttpEvent::Kind::close: break;
    }
    return "close";
}

struct HttpReply {
    unsigned status = 0;         // 0: none has come, or not all of it
    std::string content_type{};  // with its parameters
    std::string body{};          // of a 2xx only
    std::string subprotocol{};
    std::string context_update{};  // X-WS-Context-Update
    std::string close{};           // X-WS-Close

    // There is no answer: the backend can't be reached or takes too long, or what it said broke off.
    [[nodiscard]] bool missing() const noexcept { return status == 0 || (status >= 502 && status <= 504); }
    [[nodiscard]] bool success() const noexcept { return status >= 200 && status < 300; }
};

class Requests {
public:
    // Starts the request of an event, and takes the event's body. Its answer comes later, never before this has returned.
    // False when it can't be started now: the event is left as it was, and whoever calls is told when to try again.
    [[nodiscard]] virtual bool start(HttpEvent& event, std::shared_ptr<const context::Context> context) = 0;

protected:
    ~Requests() = default;
};

}  // namespace ws::relay
