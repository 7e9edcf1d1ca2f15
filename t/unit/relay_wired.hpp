// A relay between two scripted peers.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "context/recipe.h"
#include "relay/envelope_delivery.h"
#include "relay/headers_delivery.h"
#include "relay/relay.h"
#include "websocket_wire.hpp"

#include "cmocka.hpp"  // last: it makes `fail` a macro

namespace wired_relay {

using namespace ws::relay;
using wire::client;
using wire::server;
using State = Relay::State;

inline constexpr std::size_t unlimited = ~std::size_t{0};

class ScriptedPeer final : public Peer {
public:
    std::deque<std::string> arriving;
    enum class Then { silence, end, error } then = Then::silence;
    std::size_t room = unlimited;  // what it still takes
    bool broken = false;           // sending fails
    bool can_half_close = true;
    std::string got;
    int half_closed = 0;
    std::string got_before_hold;
    int held = 0;
    int reads = 0;

    Result recv(std::span<char> into) noexcept override {
        ++reads;
        if (arriving.empty()) {
            return {then == Then::silence ? Status::again : then == Then::end ? Status::end : Status::error, 0};
        }
        const std::size_t n = arriving.front().copy(into.data(), into.size());
        arriving.front().erase(0, n);
        if (arriving.front().empty()) { arriving.pop_front(); }
        return {Status::ok, n, !arriving.empty() || then != Then::silence};
    }

    Result send(std::string_view data) noexcept override {
        if (broken) { return {Status::error, 0}; }
        const std::size_t n = std::min(room, data.size());
        if (n == 0) { return {Status::again, 0}; }
        got += data.substr(0, n);
        if (room != unlimited) { room -= n; }
        return {Status::ok, n};
    }

    void hold() noexcept override {
        ++held;
        got_before_hold = got;
    }

    bool finish_sending() noexcept override {
        ++half_closed;
        return can_half_close;
    }
};

class OneMaskKey final : public MaskKeys {
public:
    ws::websocket::MaskKey next() noexcept override { return wire::key; }
};

inline std::string close_body(unsigned code, std::string_view reason = "") {
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + std::string(reason);
}
inline std::string client_close(unsigned code, std::string_view reason = "") {
    return client(0x88, close_body(code, reason));
}
inline std::string server_close(unsigned code, std::string_view reason = "") {
    return server(0x88, close_body(code, reason));
}

struct Wiring {
    static std::unique_ptr<Delivery> headers(MaskKeys& keys) { return std::make_unique<HeadersDelivery>(false, keys); }
    static std::unique_ptr<Delivery> headers_with_extensions(MaskKeys& keys) {
        return std::make_unique<HeadersDelivery>(true, keys);
    }
    static std::unique_ptr<Delivery> envelope(MaskKeys& keys) { return enveloped(keys, false); }
    static std::unique_ptr<Delivery> envelope_compressed(MaskKeys& keys) { return enveloped(keys, true); }

    std::unique_ptr<Delivery> (*delivery)(MaskKeys&) = headers;
    Timeouts timeouts{Milliseconds(1000), Milliseconds(100), {}, {}, Milliseconds(300), Milliseconds(400)};
    GateLimits limits{};
    std::size_t max_pending = 0;

private:
    static std::unique_ptr<Delivery> enveloped(MaskKeys& keys, bool compression) {
        EnvelopeOptions options{.limits = {.max_message = 100, .max_fragments = 10}};
        if (compression) { options.deflate.emplace(); }
        return std::make_unique<EnvelopeDelivery>("id", ws::context::Recipe{}.build("{}", {}).context, OpenRequest{},
                                                  options, keys);
    }
};

struct Wired {
    explicit Wired(const Wiring& wiring = {})
        : relay(client, backend, wiring.delivery(keys), wiring.timeouts, wiring.limits, *scratch, wiring.max_pending) {}

    ScriptedPeer client;
    ScriptedPeer backend;
    OneMaskKey keys;
    std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
    Relay relay;
    Milliseconds now{50'000};
    int steady = 0;  // steps that were so

    State start(std::string_view early_client = {}, std::string_view early_backend = {}) {
        return relay.start(early_client, early_backend, now);
    }
    // Steady is open, and a promise: no timer need be set anew.
    State readable(Side side) {
        const auto before = relay.deadline();
        const State state = relay.readable(side, now);
        if (state != State::steady) { return state; }
        ++steady;
        assert_true(!relay.deadline() || (before && *relay.deadline() >= *before));
        return State::open;
    }
    State from_client(std::string bytes) {
        client.arriving.push_back(std::move(bytes));
        return readable(Side::client);
    }
    State from_backend(std::string bytes) {
        backend.arriving.push_back(std::move(bytes));
        return readable(Side::backend);
    }
    State client_ends(ScriptedPeer::Then how = ScriptedPeer::Then::end) {
        client.then = how;
        return readable(Side::client);
    }
    State backend_ends(ScriptedPeer::Then how = ScriptedPeer::Then::end) {
        backend.then = how;
        return readable(Side::backend);
    }
    State later(int milliseconds) {
        now += Milliseconds(milliseconds);
        return relay.expired(now);
    }
};

inline int setup_unstarted(void** state) {
    *state = new Wired;
    return 0;
}

inline int setup(void** state) {
    (void)setup_unstarted(state);
    return static_cast<Wired*>(*state)->start() == State::open ? 0 : -1;
}

inline int teardown(void** state) {
    delete static_cast<Wired*>(*state);
    return 0;
}

inline Wired& wired(void** state) { return *static_cast<Wired*>(*state); }

inline void assert_state(State got, State wanted, std::source_location where = std::source_location::current()) {
    if (got != wanted) {
        print_error("state %d, wanted %d\n", static_cast<int>(got), static_cast<int>(wanted));
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
}

inline void assert_end(const Wired& w, End::Cause cause, int code,
                       std::source_location where = std::source_location::current()) {
    const End& end = w.relay.delivery().end();
    if (end.cause != cause || end.code != code) {
        print_error("ended by %d with %d\n", static_cast<int>(end.cause), end.code);
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
}

}  // namespace wired_relay

#define TEST(name) cmocka_unit_test_setup_teardown(name, wired_relay::setup, wired_relay::teardown)
#define TEST_UNSTARTED(name) cmocka_unit_test_setup_teardown(name, wired_relay::setup_unstarted, wired_relay::teardown)
