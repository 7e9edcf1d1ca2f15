// The hot paths of the protocol core on fixed inputs, to be counted by callgrind (scripts/check-instructions).
//
//     instructions PATH ROUNDS
//
// At the lowest level of instructions, so that the counts are the same on every machine. Without arguments it prints the
// names of the paths.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "context/command.h"
#include "context/recipe.h"
#include "relay/envelope_delivery.h"
#include "relay/headers_delivery.h"
#include "relay/http_delivery.h"
#include "relay/relay.h"
#include "simd/level.h"

using namespace ws;
using relay::Side;

namespace {

constexpr std::string_view session =
    R"({"user":{"id":"4711","name":"Ada Lovelace","email":"ada@example.com"},"roles":["admin","editor"],)"
    R"("tenant":"example","locale":"en-GB","theme":"dark"})";

class Keys final : public relay::MaskKeys {
public:
    websocket::MaskKey next() noexcept override { return {0x37, 0xfa, 0x21, 0x3d}; }
};

// A side that has always the same to say, once each time it is asked to, and takes everything.
class Peer final : public relay::Peer {
public:
    void say(std::string_view bytes) { bytes_ = bytes; }
    Result recv(std::span<char> into) noexcept override {
        if (bytes_.empty()) { return {Status::again, 0}; }
        const std::size_t n = std::min(into.size(), bytes_.size());
        std::memcpy(into.data(), bytes_.data(), n);
        bytes_.remove_prefix(n);
        return {Status::ok, n, !bytes_.empty()};
    }
    Result send(std::string_view data) noexcept override { return {Status::ok, data.size()}; }
    bool finish_sending() noexcept override { return true; }

private:
    std::string_view bytes_;
};

std::string client_frames(std::string_view payload, int n) {
    std::string frames;
    for (int i = 0; i < n; ++i) {
        websocket::append_frame(frames, websocket::Opcode::text, payload, true, Keys{}.next());
    }
    return frames;
}

std::string server_frames(std::string_view payload, int n) {
    std::string frames;
    for (int i = 0; i < n; ++i) {
        websocket::append_frame(frames, websocket::Opcode::text, payload, true, std::nullopt);
    }
    return frames;
}

struct Connection {
    explicit Connection(std::unique_ptr<relay::Delivery> delivery)
        : scratch(std::make_unique<relay::Scratch>()),
          relay(client, backend, std::move(delivery), timeouts(), limits(), *scratch) {
        (void)relay.start({}, {}, relay::Milliseconds(1));
    }
    static relay::Timeouts timeouts() {
        using namespace std::chrono_literals;
        return {1h, 10s, 30s, 10s, 60s, 60s, 0s, 60s};
    }
    static relay::GateLimits limits() { return {{}, {6000, 100}, false}; }

    // Each message of a round trip is one event on either side.
    void run(std::string_view from_client, std::string_view from_backend, int rounds) {
        for (int i = 0; i < rounds; ++i) {
            client.say(from_client);
            (void)relay.readable(Side::client, relay::Milliseconds(2));
            backend.say(from_backend);
            (void)relay.readable(Side::backend, relay::Milliseconds(2));
            (void)relay.deadline();
        }
    }

    Peer client;
    Peer backend;
    std::unique_ptr<relay::Scratch> scratch;
    relay::Relay relay;
};

Keys keys;

std::unique_ptr<relay::Delivery> headers() { return std::make_unique<relay::HeadersDelivery>(false, keys); }

std::unique_ptr<relay::Delivery> envelope(bool replies) {
    relay::EnvelopeOptions options;
    options.limits = {1 << 20, 1000};
    options.replies = replies;
    return std::make_unique<relay::EnvelopeDelivery>(
        "c7f3a0d2b1e94c5f8a6d7e0b3c1f2a49", context::Recipe{}.build(session, {}).context,
        relay::OpenRequest{"/chat", "example.com", "192.0.2.7", ""}, std::move(options), keys);
}

// A backend by HTTP that answers each event with what it got.
class Echo final : public relay::Requests {
public:
    bool start(relay::HttpEvent& event, std::shared_ptr<const context::Context>) override {
        sequence = event.sequence;
        body.assign(event.body.begin(), event.body.end());
        return true;
    }

    std::uint64_t sequence = 0;
    std::string body;
};

void run_http(std::string_view from_client, int rounds) {
    Echo requests;
    relay::HttpOptions options;
    options.limits = {1 << 20, 1000};
    auto made = std::make_unique<relay::HttpDelivery>(context::Recipe{}.build(session, {}).context, std::move(options),
                                                      requests);
    relay::HttpDelivery& delivery = *made;
    Connection connection(std::move(made));
    for (int i = 0; i < rounds; ++i) {
        connection.client.say(from_client);
        (void)connection.relay.readable(Side::client, relay::Milliseconds(2));
        delivery.answered(
            relay::HttpEvent::Kind::message, requests.sequence,
            {.status = 200, .content_type = "text/plain; charset=utf-8", .body = std::move(requests.body)});
        (void)connection.relay.resume(relay::Milliseconds(2));
    }
}

std::string text(std::size_t size) { return std::string(size, 'x'); }

// As pages send it: a quote every few bytes.
std::string json(std::size_t size) {
    std::string rows = "[";
    while (rows.size() < size) { rows += R"({"id":4711,"text":"hello"},)"; }
    rows.resize(size);
    return rows;
}

std::string command(std::size_t size) {
    return R"({"event":"message","type":"text","data":")" + std::string(size, 'x') + R"("})";
}

struct Path {
    std::string_view name;
    void (*run)(int rounds);
};

constexpr Path paths[] = {
    {"headers 64", [](int n) { Connection(headers()).run(client_frames(text(64), 1), server_frames(text(64), 1), n); }},
    {"headers 16x64",
     [](int n) { Connection(headers()).run(client_frames(text(64), 16), server_frames(text(64), 16), n); }},
    {"headers 16384",
     [](int n) { Connection(headers()).run(client_frames(text(16384), 1), server_frames(text(16384), 1), n); }},
    {"envelope 64",
     [](int n) { Connection(envelope(false)).run(client_frames(text(64), 1), server_frames(text(64), 1), n); }},
    {"envelope 16x64",
     [](int n) { Connection(envelope(false)).run(client_frames(text(64), 16), server_frames(text(64), 16), n); }},
    {"envelope 16384",
     [](int n) { Connection(envelope(false)).run(client_frames(text(16384), 1), server_frames(text(16384), 1), n); }},
    {"envelope json",
     [](int n) { Connection(envelope(false)).run(client_frames(json(1024), 1), server_frames(json(1024), 1), n); }},
    {"replies 1024",
     [](int n) { Connection(envelope(true)).run(client_frames(text(1024), 1), server_frames(command(1024), 1), n); }},
    {"http 64", [](int n) { run_http(client_frames(text(64), 1), n); }},
    {"context",
     [](int n) {
         for (int i = 0; i < n; ++i) { (void)context::Recipe{}.build(session, {}); }
     }},
};

}  // namespace

int main(int argc, char** argv) {
    simd::limit(simd::Level::baseline);
    for (const Path& path : paths) {
        if (argc < 3) {
            std::printf("%.*s\n", static_cast<int>(path.name.size()), path.name.data());
        } else if (path.name == argv[1]) {
            path.run(std::atoi(argv[2]));
        }
    }
    return 0;
}
