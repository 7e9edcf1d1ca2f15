// What a relay holds, counted at operator new: nothing of what has passed.
#include <memory>
#include <string>

#include "context/recipe.h"
#include "heap.hpp"
#include "relay/envelope_delivery.h"
#include "relay/headers_delivery.h"
#include "relay/relay.h"
#include "websocket_wire.hpp"

#include "cmocka.hpp"  // last: it makes `fail` a macro

using namespace ws::relay;

namespace {

constexpr std::size_t large = 8 << 20;
constexpr std::size_t small = 4096;

// Gives out what it was given by the test, takes as much as it has room for, and keeps none of it.
class Pipe final : public Peer {
public:
    std::string_view arriving;
    std::size_t room = ~std::size_t{0};
    std::size_t taken = 0;

    Result recv(std::span<char> into) noexcept override {
        if (arriving.empty()) { return {Status::again, 0}; }
        const std::size_t n = arriving.copy(into.data(), into.size());
        arriving.remove_prefix(n);
        return {Status::ok, n};
    }
    Result send(std::string_view data) noexcept override {
        const std::size_t n = std::min(room, data.size());
        if (n == 0) { return {Status::again, 0}; }
        room -= n;
        taken += n;
        return {Status::ok, n};
    }
    bool finish_sending() noexcept override { return true; }
};

class OneMaskKey final : public MaskKeys {
public:
    ws::websocket::MaskKey next() noexcept override { return wire::key; }
};

struct Connection {
    explicit Connection(bool envelope)
        : relay(client, backend, delivery(envelope), {.message = Milliseconds(60'000)}, {}, *scratch) {
        (void)relay.start({}, {}, Milliseconds(1));
    }

    std::unique_ptr<Delivery> delivery(bool envelope) {
        if (!envelope) { return std::make_unique<HeadersDelivery>(false, keys); }
        EnvelopeOptions options;
        options.limits = {.max_message = large, .max_fragments = 10};
        return std::make_unique<EnvelopeDelivery>("id", ws::context::Recipe{}.build("{}", {}).context, OpenRequest{},
                                                  options, keys);
    }

    [[nodiscard]] Pipe& pipe(Side side) { return side == Side::client ? client : backend; }

    // `bytes` of one side reach a side that first takes nothing, and then all.
    void pass(Side from, std::string_view bytes) {
        pipe(other(from)).room = 0;
        pipe(from).arriving = bytes;
        while (relay.readable(from, Milliseconds(2)) == Relay::State::busy) {}
        pipe(other(from)).room = ~std::size_t{0};
        while (relay.writable(other(from), Milliseconds(3)) == Relay::State::busy) {}
        assert_true(pipe(from).arriving.empty());
    }

    Pipe client, backend;
    OneMaskKey keys;
    std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
    Relay relay;
};

std::unique_ptr<Connection> connection;
std::string from_client, from_backend;

int teardown(void**) {
    connection.reset();
    return 0;
}

void what_waited_for_a_side_costs_nothing_once_it_was_sent(void**) {
    from_client = wire::client(0x82, std::string(large, 'x'));
    from_backend = wire::server(0x82, std::string(large, 'x'));
    for (const bool envelope : {false, true}) {
        connection = std::make_unique<Connection>(envelope);
        for (const Side side : {Side::client, Side::backend}) {
            const std::size_t taken = connection->pipe(other(side)).taken;
            const std::size_t before = heap::held;
            connection->pass(side, side == Side::client ? from_client : from_backend);
            assert_in_range(connection->pipe(other(side)).taken - taken, large, 2 * large);
            assert_in_range(heap::held, 0, before + small);
        }
    }
}

void many_small_messages_leave_nothing_either(void**) {
    from_client.clear();
    from_backend.clear();
    for (int i = 0; i < 50'000; ++i) {
        from_client += wire::client(0x82, "x");
        from_backend += wire::server(0x82, "x");
    }
    for (const bool envelope : {false, true}) {
        connection = std::make_unique<Connection>(envelope);
        for (const Side side : {Side::client, Side::backend}) {
            const std::size_t before = heap::held;
            connection->pass(side, side == Side::client ? from_client : from_backend);
            // What is kept for the next step is the worker's, for all of its connections.
            const std::size_t kept =
                connection->scratch->output.client.capacity() + connection->scratch->output.backend.capacity();
            assert_in_range(kept, 0, 2 * (256 << 10));
            assert_in_range(heap::held, 0, before + small + kept);
        }
    }
}

// The message, and its envelope, which waits for a backend that takes nothing: no third copy at any moment.
void a_large_message_and_its_envelope_are_all_that_is_held(void**) {
    std::string quoted;
    for (std::size_t i = 0; i < large / 8; ++i) { quoted += R"({"a":1},)"; }
    const std::string plain(large, 'x');
    std::string fragments = wire::client(0x01, plain.substr(0, large / 4));
    for (int i = 0; i < 2; ++i) { fragments += wire::client(0x00, plain.substr(0, large / 4)); }
    fragments += wire::client(0x80, plain.substr(0, large / 4));
    const struct {
        std::string bytes;
        std::size_t envelope;
    } cases[] = {
        {wire::client(0x81, plain), large},
        {fragments, large},
        {wire::client(0x82, plain), large / 3 * 4},
        {wire::client(0x81, quoted), large / 4 * 5},  // two quotes in eight bytes
    };
    constexpr std::size_t rest = 256 << 10;
    for (const auto& [bytes, envelope] : cases) {
        connection = std::make_unique<Connection>(true);
        const heap::Since start;
        connection->backend.room = 0;
        connection->client.arriving = bytes;
        while (connection->relay.readable(Side::client, Milliseconds(2)) == Relay::State::busy) {}
        assert_in_range(start.most(), large + envelope, large + envelope + rest);
        assert_in_range(start.now(), envelope, envelope + rest);
        connection.reset();
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_waited_for_a_side_costs_nothing_once_it_was_sent, teardown),
        cmocka_unit_test_teardown(a_large_message_and_its_envelope_are_all_that_is_held, teardown),
        cmocka_unit_test_teardown(many_small_messages_leave_nothing_either, teardown),
    };
    return cmocka_run_group_tests_name("relay memory", tests, nullptr, nullptr);
}
