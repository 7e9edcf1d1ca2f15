// Whatever a backend says: what is taken as a command can be carried out, and survives being written and read again.
#include "context/base64.h"
#include "context/command.h"
#include "context/json.h"
#include "context/json_value.h"
#include "context/recipe.h"
#include "fuzz.hpp"
#include "websocket/close_code.h"
#include "websocket/utf8.h"

#include <cstdint>
#include <string>

using namespace ws::context;

namespace {

bool is_utf8(std::string_view text) {
    ws::websocket::Utf8Validator validator;
    return validator.feed(text) && validator.complete();
}

void check(const MessageCommand& command) {
    std::string again = R"({"event":"message","type":)";
    switch (command.type) {
        case MessageType::text:
            require(is_utf8(command.data));
            again += R"("text","data":)";
            append_utf8_string(again, command.data);
            break;
        case MessageType::binary:
            again += R"("binary","data":")";
            append_base64(again, command.data);
            again += '"';
            break;
        case MessageType::json:
            require(is_json_value(command.data));
            again += R"("json","data":)" + command.data;
            break;
    }
    const Command reread = parse_command(again + "}");
    const auto* const message = std::get_if<MessageCommand>(&reread);
    require(message != nullptr && message->type == command.type && message->data == command.data);
}

void check(const ContextCommand& command) {
    const auto context = Recipe{}.build(R"({"a":{"b":[1],"c":"d"},"e":0.5})", {}).context;
    const auto patched = context->patched(command.merge_patch);
    require(patched != nullptr);
    require(Recipe{}.build(patched->json(), {}).context->json() == patched->json());
    // RFC 7396: a merge patch changes nothing the second time.
    require(json_equal(parse_json(patched->patched(command.merge_patch)->json()).value.get(),
                       parse_json(patched->json()).value.get()) == 1);
    for (const char* const path : {"a", "a.b", "a.b.0", "a.c", "e"}) {
        const auto text = patched->member(path);
        require(!text || text->find_first_of("\r\n") == std::string::npos);
    }
}

void check(const CloseCommand& command) {
    require(ws::websocket::close_code::allowed(command.code));
    require(command.reason.size() <= 123 && is_utf8(command.reason));
}

void check(const InvalidCommand& command) { require(!command.why.empty()); }

// The short way that messages take leads to the same.
void check_both_ways(std::string_view text) {
    const Command quick = parse_text_command(text);
    const Command whole = parse_command(text);
    require(quick.index() == whole.index());
    if (const auto* const message = std::get_if<MessageCommand>(&quick)) {
        const auto& other = std::get<MessageCommand>(whole);
        require(message->type == other.type && message->data == other.data);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    std::visit([](const auto& command) { check(command); }, parse_command(input));
    // A command is text that has been found to be UTF-8.
    if (is_utf8(input)) {
        check_both_ways(input);
        check_both_ways(R"({"event":"message","data":)" + std::string(input) + "}");
        check_both_ways(R"({"event":"message","type":"text","data":")" + std::string(input) + "\"}");
    }
    // The parts of a command on their own, so that the fuzzer need not find the frame around them.
    std::visit([](const auto& command) { check(command); },
               parse_command(R"({"event":"message","type":"json","data":)" + std::string(input) + "}"));
    std::visit([](const auto& command) { check(command); },
               parse_command(R"({"event":"context","context":)" + std::string(input) + "}"));
    return 0;
}
