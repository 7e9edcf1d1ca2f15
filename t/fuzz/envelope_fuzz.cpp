// Whatever session, request and messages hold: each envelope is one JSON object that reads back as what went in, and the
// module's own judgement of a JSON message agrees with jansson's.
#include "context/envelope.h"
#include "context/json.h"
#include "context/json_value.h"
#include "context/recipe.h"
#include "fuzz.hpp"
#include "websocket/utf8.h"

#include <jansson.h>

#include <algorithm>
#include <cstdint>
#include <string>

using namespace ws::context;

namespace {

constexpr std::size_t read_flags = JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;

bool is_utf8(std::string_view text) {
    ws::websocket::Utf8Validator validator;
    return validator.feed(text) && validator.complete();
}

JsonPtr read(std::string_view text, json_error_t* error = nullptr) {
    return JsonPtr(json_loadb(text.data(), text.size(), read_flags, error));
}

std::string_view string_member(json_t* object, const char* name) {
    json_t* const value = json_object_get(object, name);
    require(json_is_string(value));
    return {json_string_value(value), json_string_length(value)};
}

std::shared_ptr<const Context> context_of(std::string_view session) {
    const BuildResult result = Recipe{}.build(session, {});
    require((result.context != nullptr) == (result.error == BuildError::none));
    if (!result.context) return Recipe{}.build("{}", {}).context;
    const std::string_view json = result.context->json();
    require(std::all_of(json.begin(), json.end(), [](char c) { return c >= 0x20 && c <= 0x7e; }));
    require(json_equal(read(json).get(), read(session).get()) == 1);
    require(Recipe{}.build(json, {}).context->json() == json);
    return result.context;
}

void check_text(const EnvelopeWriter& writer, const Context& context, std::string_view payload) {
    if (!is_utf8(payload)) return;
    std::string out;
    writer.message(out, &context, 1, MessageType::text, payload);
    const JsonPtr object = read(out);
    require(json_object_size(object.get()) == 6 && string_member(object.get(), "data") == payload);
    require(is_json_value(out));
}

void check_json(const EnvelopeWriter& writer, std::string_view payload) {
    json_error_t error{};
    const JsonPtr value = read(payload, &error);
    if (!is_json_value(payload)) {
        // Jansson takes deeper nesting, numbers too small for a double, and a NUL byte after a number.
        require(!value || payload.find_first_of(std::string_view("[{eE.\0", 6)) != std::string_view::npos);
        return;
    }
    if (!value) {
        require(json_error_code(&error) == json_error_null_byte_in_key);
        return;
    }
    std::string out;
    writer.message(out, nullptr, 1, MessageType::json, payload);
    const JsonPtr object = read(out);
    require(json_object_size(object.get()) == 5 && json_equal(json_object_get(object.get(), "data"), value.get()) == 1);
}

void check_events(const EnvelopeWriter& writer, const Context& context, std::string_view bytes) {
    std::string out;
    writer.open(out, context, {bytes, bytes, bytes, bytes});
    const JsonPtr open = read(out);
    json_t* const request = json_object_get(open.get(), "request");
    if (is_utf8(bytes)) require(string_member(request, "uri") == bytes);
    require(json_object_size(open.get()) == 4 && json_object_size(request) == (bytes.empty() ? 3U : 4U));
    out.clear();
    writer.close(out, 1000, bytes);
    const JsonPtr close = read(out);
    require(json_object_size(close.get()) == 4 &&
            string_member(close.get(), "reason") == string_member(request, "host"));
}

}  // namespace

// The first byte says where the session ends and the payload begins.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::size_t cut = std::min<std::size_t>(data[0], input.size());
    const std::string_view payload = input.substr(cut);
    const auto context = context_of(input.substr(0, cut));
    const EnvelopeWriter writer(payload.substr(0, 8));
    check_text(writer, *context, payload);
    check_json(writer, payload);
    check_events(writer, *context, payload);
    return 0;
}
