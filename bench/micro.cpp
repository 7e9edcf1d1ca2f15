// Google Benchmark: the loops over bytes, each against the simple loop and against memcpy(), which is as fast as memory is.
// Bytes a second are what to look at; each is measured at the level that the name says.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <string>

#include "context/base64.h"
#include "context/escape.h"
#include "context/json.h"
#include "simd/level.h"
#include "websocket/mask.h"
#include "websocket/utf8.h"

namespace {

using ws::simd::Level;

constexpr ws::websocket::MaskKey key{0x37, 0xfa, 0x21, 0x3d};

std::string ascii(std::size_t n) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) { text += static_cast<char>('a' + i * 7 % 26); }
    return text;
}

// One, two, three and four bytes, as chats have them.
std::string mixed(std::size_t n) {
    static constexpr std::string_view words[] = {"hello ", "größe ", "日本語 ", "grüße 🙂 ", "plain text "};
    std::string text;
    for (std::size_t i = 0; text.size() < n; ++i) { text += words[i % std::size(words)]; }
    while (text.size() > n) { text.pop_back(); }
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80) != 0) { text.back() = '.'; }
    return text;
}

// JSON in JSON: a quote every eight bytes.
std::string quoted(std::size_t n) {
    std::string text = ascii(n);
    for (std::size_t i = 0; i < n; i += 8) { text[i] = '"'; }
    return text;
}

std::string base64(std::size_t n) {
    std::string text;
    ws::context::append_base64(text, ascii(n / 4 * 3));
    return text;
}

void simple_mask(char* data, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        data[i] = static_cast<char>(static_cast<unsigned char>(data[i]) ^ key[i % 4]);
        benchmark::DoNotOptimize(data[i]);
    }
}

bool simple_utf8(std::string_view text) {
    std::size_t pending = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (pending > 0) {
            if ((byte & 0xC0) != 0x80) { return false; }
            --pending;
        } else if (byte >= 0x80) {
            pending = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
        }
    }
    return pending == 0;
}

void simple_escape(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (c == '"' || c == '\\') { out += '\\'; }
        out += c;
    }
}

std::size_t simple_escaped_size(std::string_view text) {
    std::size_t size = text.size();
    for (const char c : text) {
        if (c == '"' || c == '\\') { ++size; }
    }
    return size;
}

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void simple_base64(std::string& out, std::string_view bytes) {
    for (std::size_t i = 0; i + 3 <= bytes.size(); i += 3) {
        const auto byte = [&](std::size_t at) {
            return static_cast<unsigned>(static_cast<unsigned char>(bytes[i + at]));
        };
        const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (const unsigned shift : {18u, 12u, 6u, 0u}) { out += digits[group >> shift & 63]; }
    }
}

void simple_decoded_base64(std::string& out, std::string_view text) {
    static const auto values = [] {
        std::array<unsigned char, 256> table{};
        for (unsigned i = 0; i < digits.size(); ++i) {
            table[static_cast<unsigned char>(digits[i])] = static_cast<unsigned char>(i);
        }
        return table;
    }();
    for (std::size_t i = 0; i + 4 <= text.size(); i += 4) {
        unsigned group = 0;
        for (std::size_t at = i; at < i + 4; ++at) {
            group = group << 6 | values[static_cast<unsigned char>(text[at])];
        }
        for (const unsigned shift : {16u, 8u, 0u}) { out += static_cast<char>(group >> shift & 255); }
    }
}

// Runs `work` on `text` again and again.
template <class Work>
void run(benchmark::State& state, Level level, const std::string& text, Work work) {
    ws::simd::limit(level);
    if (ws::simd::level() != level) { state.SkipWithError("not on this machine"); }
    std::string out;
    for (auto _ : state) {
        out.clear();
        work(out, text);
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
    ws::simd::limit(ws::simd::detected());
}

template <class Work>
void add(const std::string& name, Level level, std::string (*make)(std::size_t), Work work) {
    benchmark::RegisterBenchmark(
        name.c_str(),
        [=](benchmark::State& state) { run(state, level, make(static_cast<std::size_t>(state.range(0))), work); })
        ->Arg(64)
        ->Arg(1024)
        ->Arg(16384)
        ->Arg(1 << 20);
}

template <class Work>
void add_levels(const std::string& name, std::string (*make)(std::size_t), Work work) {
    add(name + "/baseline", Level::baseline, make, work);
    add(name + "/avx2", Level::avx2, make, work);
}

void register_all() {
    add("memcpy", Level::baseline, ascii, [](std::string& out, const std::string& text) {
        out.resize(text.size());
        std::memcpy(out.data(), text.data(), text.size());
    });
    static std::string payload;
    const auto copy_once = [](const std::string& text) {
        if (payload.size() != text.size()) { payload = text; }
    };
    add("mask/simple", Level::baseline, ascii, [=](std::string&, const std::string& text) {
        copy_once(text);
        simple_mask(payload.data(), payload.size());
    });
    add_levels("mask", ascii, [=](std::string&, const std::string& text) {
        copy_once(text);
        ws::websocket::apply_mask(payload.data(), payload.size(), key, 0);
    });
    const auto validate = [](std::string&, const std::string& text) {
        ws::websocket::Utf8Validator utf8;
        benchmark::DoNotOptimize(utf8.feed(text) && utf8.complete());
    };
    const auto validate_simply = [](std::string&, const std::string& text) {
        benchmark::DoNotOptimize(simple_utf8(text));
    };
    add("utf8_ascii/simple", Level::baseline, ascii, validate_simply);
    add_levels("utf8_ascii", ascii, validate);
    add("utf8_mixed/simple", Level::baseline, mixed, validate_simply);
    add_levels("utf8_mixed", mixed, validate);
    const auto escape = [](std::string& out, const std::string& text) { ws::context::append_utf8_string(out, text); };
    add("escape/simple", Level::baseline, ascii, simple_escape);
    add_levels("escape", ascii, escape);
    add("escape_quotes/simple", Level::baseline, quoted, simple_escape);
    add_levels("escape_quotes", quoted, escape);
    add("escaped_size/simple", Level::baseline, quoted,
        [](std::string&, const std::string& text) { benchmark::DoNotOptimize(simple_escaped_size(text)); });
    add_levels("escaped_size", quoted, [](std::string&, const std::string& text) {
        benchmark::DoNotOptimize(ws::context::escaped_size(text));
    });
    add("base64/simple", Level::baseline, ascii, simple_base64);
    add_levels("base64", ascii,
               [](std::string& out, const std::string& text) { ws::context::append_base64(out, text); });
    add("base64_decode/simple", Level::baseline, base64, simple_decoded_base64);
    add_levels("base64_decode", base64, [](std::string& out, const std::string& text) {
        benchmark::DoNotOptimize(ws::context::append_decoded_base64(out, text));
    });
}

}  // namespace

int main(int argc, char** argv) {
    register_all();
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
