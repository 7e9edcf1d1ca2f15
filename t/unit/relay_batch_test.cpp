// What arrives together leaves together: how often a relay calls send().
#include <memory>
#include <string>
#include <vector>

#include "context/recipe.h"
#include "relay/envelope_delivery.h"
#include "relay/headers_delivery.h"
#include "relay/relay.h"
#include "websocket_wire.hpp"

#include "cmocka.hpp"  // last: it makes `fail` a macro

using namespace ws::relay;

namespace {

constexpr int messages = 50;

// Gives out all that arrives at once, and takes everything.
class Pipe final : public Peer {
public:
    std::string_view arriving;
    std::vector<std::string> sends;

    Result recv(std::span<char> into) noexcept override {
        if (arriving.empty()) { return {Status::again, 0}; }
        const std::size_t n = arriving.copy(into.data(), into.size());
        arriving.remove_prefix(n);
        return {Status::ok, n};
    }
    Result send(std::string_view data) noexcept override {
        sends.emplace_back(data);
        return {Status::ok, data.size()};
    }
    bool finish_sending() noexcept override { return true; }
};

class OneMaskKey final : public MaskKeys {
public:
    ws::websocket::MaskKey next() noexcept override { return wire::key; }
};

struct Connection {
    explicit Connection(std::unique_ptr<Delivery> delivery)
        : relay(client, backend, std::move(delivery), {.message = Milliseconds(60'000)}, {}, *scratch) {
        (void)relay.start({}, {}, Milliseconds(1));
        client.sends.clear();
        backend.sends.clear();
    }

    // What the other side got for one readable event of `from`.
    [[nodiscard]] std::vector<std::string> arrive(Side from, std::string_view bytes) {
        Pipe& to = from == Side::client ? backend : client;
        (from == Side::client ? client : backend).arriving = bytes;
        while (relay.readable(from, Milliseconds(2)) == Relay::State::busy) {}
        return std::move(to.sends);
    }

    Pipe client, backend;
    std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
    Relay relay;
};

OneMaskKey keys;
std::unique_ptr<Connection> connection;

void open(std::unique_ptr<Delivery> delivery) { connection = std::make_unique<Connection>(std::move(delivery)); }

int teardown(void**) {
    connection.reset();
    return 0;
}

std::unique_ptr<Delivery> envelopes(bool replies) {
    EnvelopeOptions options;
    options.limits = {.max_message = 4096, .max_fragments = 10};
    options.replies = replies;
    return std::make_unique<EnvelopeDelivery>("id", ws::context::Recipe{}.build("{}", {}).context, OpenRequest{},
                                              std::move(options), keys);
}

std::string repeated(std::string_view frame) {
    std::string bytes;
    for (int i = 0; i < messages; ++i) { bytes += frame; }
    return bytes;
}

std::size_t count(std::string_view bytes, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = bytes.find(what); at != std::string_view::npos; at = bytes.find(what, at + 1)) { ++found; }
    return found;
}

void frames_that_come_together_leave_in_one_send(void**) {
    open(std::make_unique<HeadersDelivery>(false, keys));
    const std::string from_client = repeated(wire::client(0x81, "hello"));
    const std::string from_backend = repeated(wire::server(0x81, "hello"));
    assert_true(connection->arrive(Side::client, from_client) == std::vector{from_client});
    assert_true(connection->arrive(Side::backend, from_backend) == std::vector{from_backend});
}

void messages_that_come_together_leave_as_envelopes_in_one_send(void**) {
    open(envelopes(false));
    const auto sends = connection->arrive(Side::client, repeated(wire::client(0x81, "hello")));
    assert_int_equal(sends.size(), 1);
    assert_in_range(sends[0].size(), messages * 50, messages * 200);
    const std::string from_backend = repeated(wire::server(0x81, "hello"));
    assert_true(connection->arrive(Side::backend, from_backend) == std::vector{from_backend});
}

void commands_that_come_together_leave_as_messages_in_one_send(void**) {
    open(envelopes(true));
    const auto sends = connection->arrive(
        Side::backend, repeated(wire::server(0x81, R"({"event":"message","type":"text","data":"hello"})")));
    assert_int_equal(sends.size(), 1);
    assert_int_equal(count(sends[0], "hello"), messages);
}

void a_control_frame_in_between_does_not_part_them(void**) {
    for (const bool in_envelopes : {false, true}) {
        open(in_envelopes ? envelopes(false) : std::make_unique<HeadersDelivery>(false, keys));
        const std::string some = repeated(wire::client(0x81, "hello"));
        assert_int_equal(connection->arrive(Side::client, some + wire::client(0x8a, "") + some).size(), 1);
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test_teardown(frames_that_come_together_leave_in_one_send, teardown),
        cmocka_unit_test_teardown(messages_that_come_together_leave_as_envelopes_in_one_send, teardown),
        cmocka_unit_test_teardown(commands_that_come_together_leave_as_messages_in_one_send, teardown),
        cmocka_unit_test_teardown(a_control_frame_in_between_does_not_part_them, teardown),
    };
    return cmocka_run_group_tests_name("relay batch", tests, nullptr, nullptr);
}
