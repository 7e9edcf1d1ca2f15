// Whatever is published in the channels of ws_control: what is taken can be asked, and survives being written and read again.
#include "context/json_value.h"
#include "control/body.h"
#include "control/bus_message.h"
#include "fuzz.hpp"

#include <cstdint>
#include <string>

using namespace ws::control;

namespace {

void check(const List& list) {
    require(list.limit >= 1 && list.limit <= max_limit && list.selection.filters.size() <= max_filters);
    require(list.after.empty() || is_id(list.after));
    (void)list.selection.matches({}, R"({"a":{"b":[1]},"c":"d"})");
}

void check(const Look& look) { require(is_id(look.id)); }

void check(const Act& act) {
    require(is_id(act.id));
    require(!refuse_body(act.command));
    const auto* close = std::get_if<ws::context::CloseCommand>(&act.command);
    require(close == nullptr || may_close_with(*close));
}

void check(const CloseAll& all) { require(!all.selection.empty() && may_close_with(all.close)); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (const auto question = parse_question(input)) {
        std::visit([](const auto& request) { check(request); }, question->request);
        const std::string text = encode(*question);
        // Escapes may make the head longer than what is read.
        if (text.find('\n') <= max_head) {
            const auto again = parse_question(text);
            require(again && again->number == question->number && again->request.index() == question->request.index());
            require(encode(*again) == text);
        }
    }
    if (const auto reply = parse_reply(input)) {
        for (const std::string& connection : reply->answer.connections) {
            require(is_id(described_id(connection)) && ws::context::is_json_value(connection));
        }
        const std::string text = encode(*reply);
        const auto again = parse_reply(text);
        require(again && encode(*again) == text);
    }
    return 0;
}
