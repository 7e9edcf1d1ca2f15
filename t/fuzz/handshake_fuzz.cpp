// Arbitrary header lines as a request and as an answer. The verdict must not hang on the order of different headers or on
// the case of names, and an accepted handshake must have in it what the RFC asks for, found by plainer means.
//
// Input: one byte of settings, then lines; a line's first byte may stand for one of the names that matter.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "websocket/handshake.h"

using namespace ws::websocket;

namespace {

constexpr std::string_view names[] = {"Upgrade",           "Connection",           "Sec-WebSocket-Version",
                                      "Sec-WebSocket-Key", "Sec-WebSocket-Accept", "Transfer-Encoding",
                                      "Content-Length"};
constexpr std::string_view accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::vector<Header> parse(std::string_view text) {
    std::vector<Header> headers;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const auto index = line.empty() ? std::size(names) : static_cast<std::size_t>(line.front() - '0');
        if (index < std::size(names)) {
            headers.push_back({names[index], line.substr(1)});
        } else {
            const std::size_t colon = std::min(line.find(':'), line.size());
            headers.push_back({line.substr(0, colon), line.substr(std::min(colon + 1, line.size()))});
        }
    }
    return headers;
}

RequestKind classify(bool get, bool http_1_1, bool has_body, const std::vector<Header>& headers) {
    OpeningRequest opening;
    for (const Header& header : headers) { opening.add(header); }
    return opening.kind(get, http_1_1, has_body);
}

bool valid_answer(const std::vector<Header>& headers) {
    OpeningResponse opening;
    for (const Header& header : headers) { opening.add(header); }
    return opening.valid(accept);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') { c = static_cast<char>(c + 32); }
    }
    return out;
}

std::string trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) { text.remove_prefix(1); }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) { text.remove_suffix(1); }
    return std::string(text);
}

std::vector<std::string> values(const std::vector<Header>& headers, std::string_view name) {
    std::vector<std::string> found;
    for (const Header& header : headers) {
        if (lower(header.name) == lower(name)) { found.push_back(trimmed(header.value)); }
    }
    return found;
}

bool upgrades(const std::vector<Header>& headers) {
    const std::vector<std::string> upgrade = values(headers, "upgrade");
    const std::vector<std::string> connection = values(headers, "connection");
    return upgrade.size() == 1 && lower(upgrade[0]) == "websocket" &&
           std::any_of(connection.begin(), connection.end(),
                       [](const std::string& list) { return lower(list).find("upgrade") != std::string::npos; });
}

// Decodes and encodes again: only the canonical form survives.
bool canonical_key(const std::string& key) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (key.size() != 24) { return false; }
    std::string bytes;
    unsigned bits = 0;
    int count = 0;
    for (std::size_t i = 0; i < 22; ++i) {
        const std::size_t digit = alphabet.find(key[i]);
        if (digit == std::string_view::npos) { return false; }
        bits = bits << 6 | static_cast<unsigned>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<char>(bits >> count & 0xFF));
        }
    }
    std::string again;
    bits = 0;
    count = 0;
    for (const char byte : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(byte);
        count += 8;
        while (count >= 6) {
            count -= 6;
            again.push_back(alphabet[bits >> count & 63]);
        }
    }
    again.push_back(alphabet[bits << (6 - count) & 63]);
    return again + "==" == key;
}

void check_request(bool get, bool http_1_1, bool has_body, const std::vector<Header>& headers, RequestKind kind) {
    const std::vector<std::string> version = values(headers, "sec-websocket-version");
    const std::vector<std::string> key = values(headers, "sec-websocket-key");
    const bool right_version = version.size() == 1 && version[0] == "13";
    if (kind == RequestKind::upgrade || kind == RequestKind::wrong_version) {
        require(get && http_1_1 && !has_body && upgrades(headers));
        require(key.size() == 1 && canonical_key(key[0]));
        require(right_version == (kind == RequestKind::upgrade));
    }
    if (kind == RequestKind::upgrade) {  // one line more of what may stand once only
        for (const std::string_view name : {"upgrade", "sec-websocket-key", "sec-websocket-version"}) {
            std::vector<Header> more = headers;
            more.push_back({name, "websocket"});
            require(classify(get, http_1_1, has_body, more) != RequestKind::upgrade);
        }
    }
    const std::vector<std::string> upgrade = values(headers, "upgrade");
    if (kind == RequestKind::plain) {
        require(std::none_of(upgrade.begin(), upgrade.end(),
                             [](const std::string& value) { return lower(value) == "websocket"; }));
    } else {
        require(std::any_of(upgrade.begin(), upgrade.end(), [](const std::string& value) {
            return lower(value).find("websocket") != std::string::npos;
        }));
    }
}

void check_response(const std::vector<Header>& headers, bool valid) {
    if (valid) {
        require(upgrades(headers) && values(headers, "transfer-encoding").empty());
        require(values(headers, "sec-websocket-accept") == std::vector<std::string>{std::string(accept)});
        for (const std::string& length : values(headers, "content-length")) { require(length == "0"); }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) { return 0; }
    const bool get = (data[0] & 1) == 0;
    const bool http_1_1 = (data[0] & 2) == 0;
    const bool has_body = (data[0] & 4) != 0;
    const std::string text(data + 1, data + size);
    std::vector<Header> headers = parse(text);

    const RequestKind kind = classify(get, http_1_1, has_body, headers);
    const bool valid = valid_answer(headers);
    check_request(get, http_1_1, has_body, headers, kind);
    check_response(headers, valid);
    for (const Header& header : headers) {
        require(valid_key(header.value) == canonical_key(std::string(header.value)));
    }

    std::reverse(headers.begin(), headers.end());
    require(classify(get, http_1_1, has_body, headers) == kind);
    require(valid_answer(headers) == valid);
    std::vector<std::string> folded;
    for (const Header& header : headers) { folded.push_back(lower(header.name)); }
    for (std::size_t i = 0; i < headers.size(); ++i) { headers[i].name = folded[i]; }
    require(classify(get, http_1_1, has_body, headers) == kind);
    require(valid_answer(headers) == valid);
    return 0;
}
