// A Redis server that answers anything, in pieces of any size. Whatever it sends, each command is answered once at most, and in order.
#include "fuzz.hpp"
#include "redis/pipeline.h"
#include "redis/redirection.h"
#include "redis/slot_table.h"

#include <algorithm>
#include <vector>

using namespace ws::redis;

namespace {

constexpr std::size_t max_reply = 4096;

// What a sentinel or a node of a cluster may say of other servers.
void announcements(const redisReply& reply) {
    const auto master = master_address(reply);
    require(!master || (!master->host.empty() && master->port != 0));
    const auto moved = redirection(reply);
    require(!moved || (moved->slot < slot_count && moved->to.port != 0));
    const auto slots = SlotTable::parse(reply, {"asked", 1});
    require(!slots || (!slots->nodes().empty() && slots->same(*slots)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) { return 0; }
    std::string_view wire{reinterpret_cast<const char*>(data) + 2, size - 2};
    const std::size_t piece = data[0] % 64 + 1u;
    const std::size_t commands = data[1] % 32;

    const Login login;
    Pipeline pipeline{login, max_reply};
    pipeline.consumed(pipeline.output().size());
    require(pipeline.feed("+PONG\r\n"));

    std::vector<std::unique_ptr<Pending>> handles;
    std::vector<std::size_t> answered;
    const std::string_view argv[] = {"GET", "key"};
    for (std::size_t i = 0; i < commands; ++i) {
        auto command = std::make_shared<Command>([&answered, i](const Outcome& outcome) {
            answered.push_back(i);
            if (outcome.reply != nullptr) { announcements(*outcome.reply); }
        });
        handles.push_back(std::make_unique<CommandHandle>(command));
        pipeline.push(argv, command, i);
    }

    pipeline.consumed(pipeline.output().size());

    bool alive = true;
    while (alive && !wire.empty()) {
        const std::string_view next = wire.substr(0, piece);
        wire.remove_prefix(next.size());
        alive = pipeline.feed(next);
        require(pipeline.load() + answered.size() == commands);
    }
    pipeline.fail_all(Outcome::Status::unavailable);
    require(answered.size() == commands && std::is_sorted(answered.begin(), answered.end()));
    return 0;
}
