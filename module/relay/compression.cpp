#include "relay/compression.h"

namespace ws::relay {

namespace {

// A compressor for a window of 4 KiB takes 38 KiB with this, one for 32 KiB 150 KiB (websocket/deflate.h).
constexpr int mem_level = 5;

}  // namespace

std::unique_ptr<websocket::Inflater> make_inflater(const std::optional<websocket::DeflateParameters>& agreed) {
    if (!agreed) { return nullptr; }
    return std::make_unique<websocket::Inflater>(websocket::Inflater::Options{
        .window_bits = agreed->client_window_bits,
        .context_takeover = agreed->client_context_takeover,
    });
}

std::unique_ptr<websocket::Deflater> make_deflater(const std::optional<websocket::DeflateParameters>& agreed,
                                                   int level) {
    if (!agreed) { return nullptr; }
    return std::make_unique<websocket::Deflater>(websocket::Deflater::Options{
        .window_bits = agreed->server_window_bits,
        .context_takeover = agreed->server_context_takeover,
        .level = level,
        .mem_level = mem_level,
    });
}

}  // namespace ws::relay
