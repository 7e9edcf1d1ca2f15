#include "websocket/extensions.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "websocket/header_value.h"

namespace ws::websocket {

namespace {

constexpr std::string_view deflate_name = "permessage-deflate";

// Takes pieces off the front of a header value. Blanks are free between all of them: RFC 6455 9.1 uses the grammar of
// RFC 2616, with its implied *LWS.
class Scanner {
public:
    explicit Scanner(std::string_view text) noexcept : rest_(text) { skip_blanks(); }

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
    [[nodiscard]] bool at(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }

    [[nodiscard]] bool take(char c) noexcept {
        if (!at(c)) { return false; }
        rest_.remove_prefix(1);
        skip_blanks();
        return true;
    }

    // Empty when there is none.
    [[nodiscard]] std::string_view token() noexcept {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
        const std::string_view found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(found.size());
        skip_blanks();
        return found;
    }

    // Without its quotes and backslashes. RFC 6455 9.1: what is left must be a token, so not empty. Empty when it is not.
    [[nodiscard]] std::string quoted_token() {
        std::string value;
        rest_.remove_prefix(1);
        while (!at_end() && !at('"')) {
            rest_.remove_prefix(at('\\') ? 1 : 0);
            if (at_end() || !is_token_character(rest_.front())) { return {}; }
            value.push_back(rest_.front());
            rest_.remove_prefix(1);
        }
        return take('"') ? value : std::string{};
    }

private:
    void skip_blanks() noexcept { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

    std::string_view rest_;
};

struct Parameter {
    std::string_view name;
    std::optional<std::string> value;
};

// RFC 7692 7.1.2: a decimal number without leading zeros.
std::optional<std::uint8_t> window_bits(const std::string& value) noexcept {
    for (std::uint8_t bits = min_window_bits; bits <= max_window_bits; ++bits) {
        const bool two_digits = bits >= 10;
        const char last = static_cast<char>('0' + bits % 10);
        if (two_digits ? value.size() == 2 && value[0] == '1' && value[1] == last
                       : value.size() == 1 && value[0] == last) {
            return bits;
        }
    }
    return std::nullopt;
}

// One offer of permessage-deflate, as its parameters come in.
struct Offer {
    bool sound = true;  // no parameter that RFC 7692 7.1 declines an offer for
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    std::optional<std::uint8_t> server_max_window_bits;
    std::optional<std::uint8_t> client_max_window_bits;  // without a value: max_window_bits

    void add(const Parameter& parameter) noexcept { sound = sound && take(parameter); }

private:
    bool take(const Parameter& parameter) noexcept {
        if (parameter.name == "server_no_context_takeover") {
            return !parameter.value && !std::exchange(server_no_context_takeover, true);
        }
        if (parameter.name == "client_no_context_takeover") {
            return !parameter.value && !std::exchange(client_no_context_takeover, true);
        }
        if (parameter.name == "server_max_window_bits") {
            return parameter.value && take_bits(server_max_window_bits, window_bits(*parameter.value));
        }
        if (parameter.name == "client_max_window_bits") {
            return take_bits(client_max_window_bits, parameter.value ? window_bits(*parameter.value) : max_window_bits);
        }
        return false;
    }

    static bool take_bits(std::optional<std::uint8_t>& place, std::optional<std::uint8_t> bits) noexcept {
        if (place || !bits) { return false; }
        place = bits;
        return true;
    }
};

// extension-param = token [ "=" (token | quoted-string) ]. None when malformed.
std::optional<Parameter> parse_parameter(Scanner& in) {
    Parameter parameter{.name = in.token(), .value = std::nullopt};
    if (parameter.name.empty()) { return std::nullopt; }
    if (in.take('=')) {
        parameter.value = in.at('"') ? in.quoted_token() : std::string(in.token());
        if (parameter.value->empty()) { return std::nullopt; }
    }
    return parameter;
}

// RFC 7692 7.1.1 and 7.1.2: what the offer asks for is kept, the policy may ask for more.
std::optional<DeflateParameters> accept(const Offer& offer, const DeflatePolicy& policy) noexcept {
    if (!offer.sound || (!offer.client_max_window_bits && policy.client_window_bits < max_window_bits)) {
        return std::nullopt;
    }
    return DeflateParameters{
        .server_context_takeover = policy.server_context_takeover && !offer.server_no_context_takeover,
        // 7.1.1.2: a client that offers it won't take over, whatever the answer; confirming it lets us count on that.
        .client_context_takeover = policy.client_context_takeover && !offer.client_no_context_takeover,
        .server_window_bits =
            std::min(policy.server_window_bits, offer.server_max_window_bits.value_or(max_window_bits)),
        .client_window_bits =
            std::min(policy.client_window_bits, offer.client_max_window_bits.value_or(max_window_bits)),
    };
}

std::string response(const DeflateParameters& agreed, const Offer& offer) {
    std::string text(deflate_name);
    if (!agreed.server_context_takeover) { text += "; server_no_context_takeover"; }
    if (!agreed.client_context_takeover) { text += "; client_no_context_takeover"; }
    // 7.1.2.1: an offer with it is accepted by answering with it, even with the largest.
    if (offer.server_max_window_bits || agreed.server_window_bits < max_window_bits) {
        text += "; server_max_window_bits=" + std::to_string(agreed.server_window_bits);
    }
    // 7.1.2.2: must not stand in the answer unless offered; accept() saw to that.
    if (agreed.client_window_bits < max_window_bits) {
        text += "; client_max_window_bits=" + std::to_string(agreed.client_window_bits);
    }
    return text;
}

// extension = extension-token *( ";" extension-param ). False when malformed.
bool negotiate_extension(Scanner& in, const DeflatePolicy& policy, Negotiation& negotiation) {
    const std::string_view name = in.token();
    if (name.empty()) { return false; }
    Offer offer;
    while (in.take(';')) {
        const std::optional<Parameter> parameter = parse_parameter(in);
        if (!parameter) { return false; }
        offer.add(*parameter);
    }
    if (name == deflate_name && !negotiation.deflate) {
        negotiation.deflate = accept(offer, policy);
        if (negotiation.deflate) { negotiation.response = response(*negotiation.deflate, offer); }
    }
    return true;
}

// Has `take` parse each extension of the lines; how many there are. None when malformed.
template <class Take>
std::optional<std::size_t> each_extension(std::span<const std::string_view> lines, Take take) {
    std::size_t elements = 0;
    for (const std::string_view line : lines) {
        Scanner in(line);
        do {
            if (in.at_end() || in.at(',')) {
                continue;  // RFC 9110 5.6.1.2: empty elements are ignored
            }
            ++elements;
            if (!take(in)) { return std::nullopt; }
        } while (in.take(','));
        if (!in.at_end()) { return std::nullopt; }
    }
    if (elements == 0 && !lines.empty()) { return std::nullopt; }
    return elements;
}

// None when malformed.
std::optional<std::vector<std::string_view>> names(std::span<const std::string_view> lines) {
    std::vector<std::string_view> found;
    const auto elements = each_extension(lines, [&found](Scanner& in) {
        found.push_back(in.token());
        if (found.back().empty()) { return false; }
        while (in.take(';')) {
            if (!parse_parameter(in)) { return false; }
        }
        return true;
    });
    if (!elements) { return std::nullopt; }
    return found;
}

}  // namespace

Negotiation negotiate_extensions(std::span<const std::string_view> lines, const DeflatePolicy& policy) {
    Negotiation negotiation;
    const auto elements =
        each_extension(lines, [&](Scanner& in) { return negotiate_extension(in, policy, negotiation); });
    if (!elements) { return {.malformed = true, .deflate = std::nullopt, .response = {}}; }
    return negotiation;
}

bool valid_extensions_answer(std::span<const std::string_view> answer, std::span<const std::string_view> offer) {
    const auto answered = names(answer);
    const auto offered = names(offer);
    return answered && offered && std::ranges::all_of(*answered, [&offered](std::string_view name) {
               return std::ranges::find(*offered, name) != offered->end();
           });
}

}  // namespace ws::websocket
