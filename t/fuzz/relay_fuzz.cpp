// A whole connection between two peers that may do anything at any time: bytes and frames, right and wrong, in any pieces;
// sockets that take a little or nothing; ends and errors; time. However it goes, each side must get a stream of whole and
// right frames with nothing behind a close frame, what was sent must be heard once the sockets allow it, and the end
// must come within its time.
//
// Input: two bytes of settings, then steps: a byte of what happens, a byte of how much, and for bytes their data.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "context/json_value.h"
#include "context/recipe.h"
#include "fuzz.hpp"
#include "relay/envelope_delivery.h"
#include "relay/headers_delivery.h"
#include "relay/relay.h"
#include "websocket/decoder.h"
#include "websocket/deflate.h"
#include "websocket/follower.h"
#include "websocket/message.h"

using namespace ws::relay;
using namespace ws::websocket;
using State = Relay::State;

namespace {

constexpr Limits limits{.max_message = 3000, .max_fragments = 8};
constexpr Limits unlimited{.max_message = 1 << 30, .max_fragments = 1U << 30};
constexpr Milliseconds close_timeout{400};
constexpr std::size_t any_room = ~std::size_t{0};

class ScriptedPeer final : public Peer {
public:
    std::deque<std::string> arriving;
    std::optional<Status> then;  // end or error, behind what is arriving
    std::size_t room = any_room;
    bool half_closes = true;
    bool finished = false;
    bool ended_told = false;
    std::string got;

    Result recv(std::span<char> into) noexcept override {
        require(!ended_told);
        if (arriving.empty()) {
            ended_told = then.has_value();
            return {then.value_or(Status::again), 0};
        }
        const std::size_t n = arriving.front().copy(into.data(), into.size());
        arriving.front().erase(0, n);
        if (arriving.front().empty()) { arriving.pop_front(); }
        return {Status::ok, n, !arriving.empty() || then.has_value()};
    }

    Result send(std::string_view data) noexcept override {
        require(!finished && !data.empty());
        if (then == Status::error && arriving.empty()) { return {Status::error, 0}; }
        const std::size_t n = std::min(room, data.size());
        if (n == 0) { return {Status::again, 0}; }
        got += data.substr(0, n);
        if (room != any_room) { room -= n; }
        return {Status::ok, n};
    }

    bool finish_sending() noexcept override {
        require(!finished);
        finished = half_closes;
        return half_closes;
    }
};

class CountedKeys final : public MaskKeys {
public:
    MaskKey next() noexcept override { return {++count_, 2, 3, 4}; }

private:
    std::uint8_t count_ = 0;
};

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
    [[nodiscard]] bool empty() const { return rest_.empty(); }
    std::uint8_t byte() {
        if (rest_.empty()) { return 0; }
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    std::string bytes(std::size_t n) {
        const std::string taken(rest_.substr(0, n));
        rest_.remove_prefix(taken.size());
        return taken;
    }

private:
    std::string_view rest_;
};

struct Settings {
    explicit Settings(Input& input) {
        const std::uint8_t a = input.byte();
        const std::uint8_t b = input.byte();
        envelope = (a & 1) != 0;
        extensions = (a & 2) != 0;
        replies = (a & 4) != 0;
        json = (a & 8) != 0;
        half_closes = (a & 16) == 0;
        rates = (a & 32) != 0;
        delay = (a & 64) != 0;
        pings = (a & 128) != 0;
        takeover = (b & 1) != 0;
        timed = (b & 2) != 0;
    }
    bool envelope, extensions, replies, json, half_closes, rates, delay, pings, takeover, timed;

    [[nodiscard]] DeflateParameters deflate() const { return {takeover, takeover, 9, 9}; }
    [[nodiscard]] Timeouts timeouts() const {
        const Milliseconds some(timed ? 900 : 0);
        return {some,
                close_timeout,
                Milliseconds(pings ? 100 : 0),
                Milliseconds(50),
                Milliseconds(300),
                Milliseconds(300),
                some * 3,
                some};
    }
    [[nodiscard]] GateLimits gate() const {
        if (!rates) { return {}; }
        return {.messages = {60 * 20, 5}, .controls = {60 * 20, 5}, .delay_messages = delay};
    }
};

std::shared_ptr<const ws::context::Context> context_of(std::string_view session) {
    return ws::context::Recipe{}.build(session, {}).context;
}

std::unique_ptr<Delivery> make_delivery(const Settings& settings, MaskKeys& keys) {
    if (!settings.envelope) { return std::make_unique<HeadersDelivery>(settings.extensions, keys); }
    EnvelopeOptions options;
    options.json_data = settings.json;
    options.replies = settings.replies;
    options.limits = limits;
    options.max_context = 500;
    if (settings.extensions) { options.deflate = settings.deflate(); }
    options.deflate_min_length = 20;
    return std::make_unique<EnvelopeDelivery>("id", context_of(R"({"userId":"1"})"), OpenRequest{"/", "h", "::1", ""},
                                              options, keys);
}

struct World {
    explicit World(const Settings& chosen) : settings(chosen) {
        client.half_closes = settings.half_closes;
        backend.half_closes = settings.half_closes;
    }

    Settings settings;
    ScriptedPeer client, backend;
    CountedKeys keys;
    std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
    Relay relay{client, backend, make_delivery(settings, keys), settings.timeouts(), settings.gate(), *scratch};
    Milliseconds now{1000};
    State state = State::open;

    [[nodiscard]] ScriptedPeer& peer(Side side) { return side == Side::client ? client : backend; }
    [[nodiscard]] bool over() const { return state == State::done; }

    void settle() {
        for (int i = 0; state == State::busy; ++i) {
            require(i < 1000);
            state = State::open;
            read(Side::client);
            const bool busy = state == State::busy;
            if (!over()) { read(Side::backend); }
            if (busy && !over()) { state = State::busy; }
        }
        require(scratch->output.client.empty() && scratch->output.backend.empty() && scratch->output.forward.empty());
    }
    void read(Side side) {
        if (peer(side).ended_told) { return; }
        const auto before = relay.deadline();
        state = relay.readable(side, now);
        if (state != State::steady) { return; }
        require(!relay.deadline() || (before && *relay.deadline() >= *before));
        state = State::open;
    }
    void step(Input& input);
    void arrive(Side side, std::string bytes) {
        if (peer(side).then || bytes.empty()) { return; }
        peer(side).arriving.push_back(std::move(bytes));
        read(side);
    }
    void end(Side side, Peer::Status how) {
        if (peer(side).then) { return; }
        peer(side).then = how;
        read(side);
    }
};

// A right frame of some kind; data of messages is compressed by nobody.
std::string frame_of(Side from, std::uint8_t kind, std::string payload, MaskKeys& keys) {
    static constexpr Opcode opcodes[] = {Opcode::text, Opcode::binary, Opcode::continuation, Opcode::ping,
                                         Opcode::pong, Opcode::close,  Opcode::text,         Opcode::binary};
    const Opcode opcode = opcodes[kind % 8];
    if (opcode == Opcode::close) { payload = payload.empty() ? payload : std::string("\x03\xe8") + payload; }
    std::string out;
    append_frame(out, opcode, payload, (kind & 8) == 0,
                 from == Side::client ? std::optional<MaskKey>(keys.next()) : std::nullopt);
    return out;
}

void World::step(Input& input) {
    const std::uint8_t what = input.byte();
    const std::uint8_t how = input.byte();
    const Side side = (what & 1) != 0 ? Side::backend : Side::client;
    switch (what / 2 % 12) {
        case 0: arrive(side, input.bytes(how)); break;
        case 1: arrive(side, frame_of(side, how, input.bytes(input.byte() % 140), keys)); break;
        case 2: arrive(side, frame_of(side, how, std::string(how * 20U, 'x'), keys)); break;
        case 3: {  // many small ones at once
            std::string many;
            for (int i = 0; i < how * 8; ++i) {
                many += frame_of(side, static_cast<std::uint8_t>(what / 24), "", keys);
            }
            arrive(side, std::move(many));
            break;
        }
        case 4: peer(side).room = how; break;
        case 5:
            peer(side).room = how == 0 ? any_room : how * 100U;
            state = relay.writable(side, now);
            break;
        case 6:
            now += Milliseconds(how < 200 ? how : how * 100);
            state = relay.expired(now);
            break;
        case 7: end(side, how % 2 == 0 ? Peer::Status::end : Peer::Status::error); break;
        case 8:
            if (how < 32) {
                state = relay.close({4401, "session ended"}, {close_code::going_away, "session ended"}, now);
            }
            break;
        case 9:
            state = relay.change_context(context_of(R"({"userId":")" + std::string(how % 50, 'u') + "\"}"), now);
            break;
        case 10: {  // a command
            std::string command = how % 3 == 0   ? R"({"event":"message","data":"hello hello hello hello"})"
                                  : how % 3 == 1 ? R"({"event":"context","context":{"room":"blue"}})"
                                                 : R"({"event":"close","code":4000,"reason":"bye"})";
            arrive(Side::backend, frame_of(Side::backend, 0, std::move(command), keys));
            break;
        }
        case 11: read(side); break;
    }
    if (!over()) { settle(); }
}

// Whole and right frames, nothing behind a close frame; the last one may be cut off.
void check_stream(const std::string& stream, Sender sender, bool extensions) {
    HeaderReader reader(sender, extensions ? Extensions::any : Extensions::none);
    bool closed = false;
    for (std::string_view rest = stream; !rest.empty();) {
        FrameHeader header;
        const auto status = reader.read(rest, header);
        if (status == HeaderReader::Status::need_more) { return; }
        require(status != HeaderReader::Status::violation && !closed);
        closed = header.opcode == Opcode::close;
        rest.remove_prefix(static_cast<std::size_t>(std::min<std::uint64_t>(header.length, rest.size())));
    }
}

// What the gateway has made itself is right down to the messages.
void check_messages(std::string stream, Sender sender, Inflater* inflater, bool envelopes) {
    Decoder decoder(sender, unlimited, inflater);
    std::span<char> input(stream);
    bool first = true;
    for (Event event = decoder.next(input); event.kind != Event::Kind::need_more; event = decoder.next(input)) {
        require(event.kind != Event::Kind::violation);
        if (!envelopes || event.kind != Event::Kind::message) { continue; }
        require(event.type == Opcode::text && ws::context::is_json_value(event.payload));
        require(first == event.payload.starts_with(R"({"event":"open",)"));
        first = false;
    }
}

void check_outcome(World& world) {
    const Settings& settings = world.settings;
    check_stream(world.client.got, Sender::server, settings.extensions);
    check_stream(world.backend.got, Sender::client, settings.extensions && !settings.envelope);
    if (!settings.envelope) { return; }
    Inflater inflater({.window_bits = 9, .context_takeover = settings.takeover});
    check_messages(world.client.got, Sender::server, settings.extensions ? &inflater : nullptr, false);
    check_messages(world.backend.got, Sender::client, nullptr, true);
}

// With sockets that take everything, what has arrived is read.
void check_heard(World& world) {
    for (const Side side : {Side::client, Side::backend}) {
        if (world.over()) { return; }
        world.peer(side).room = any_room;
        world.state = world.relay.writable(side, world.now);
        if (!world.over()) { world.settle(); }
    }
    if (world.over()) { return; }
    // A backend that can only be told of the end by the end itself is not read any more once the client has been told.
    const Delivery& delivery = world.relay.delivery();
    const bool given_up = !world.settings.half_closes && delivery.cut(Side::backend) &&
                          (delivery.closing(Side::client).sent || delivery.cut(Side::client));
    require(world.backend.arriving.empty() || given_up);
    // A client that sends too fast is heard as time goes by; that it goes on is enough.
    std::size_t heard = world.backend.got.size();
    for (int i = 0; i < 200 && !world.over() && !world.client.arriving.empty(); ++i) {
        const auto deadline = world.relay.deadline();
        require(deadline.has_value());
        world.now = std::max(world.now, *deadline);
        world.state = world.relay.expired(world.now);
        if (!world.over()) { world.settle(); }
        if (i % 20 == 19 && !world.over()) {
            require(world.backend.got.size() > std::exchange(heard, world.backend.got.size()));
        }
    }
}

void check_end(World& world) {
    if (world.over()) { return; }
    world.state = world.relay.close({4000, ""}, {4000, ""}, world.now);
    const Milliseconds latest = world.now + close_timeout;
    while (!world.over()) {
        world.settle();
        if (world.over()) { return; }
        const auto deadline = world.relay.deadline();
        require(deadline && *deadline <= latest);
        world.now = std::max(world.now, *deadline);
        world.state = world.relay.expired(world.now);
        require(world.over() || world.now < latest);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const Settings settings(input);
    World world(settings);
    const std::size_t early = input.byte() % 32;
    const std::string early_client = input.bytes(early);
    world.state = world.relay.start(early_client, input.bytes(early / 2), world.now);
    if (!world.over()) { world.settle(); }
    while (!input.empty() && !world.over()) { world.step(input); }
    check_heard(world);
    check_end(world);
    check_outcome(world);
    return 0;
}
