// May a page of this origin open a WebSocket here? (RFC 6454 for origins, RFC 6455 4.2.2 and 10.2 for what they are for.)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ws::websocket {

// A serialized origin: scheme "://" host [":" port] (RFC 6454 6.1), in lower case; a port that the scheme implies is left
// out. Nothing else is one: not `null`, no userinfo, no path, no space.
struct Origin {
    std::string scheme;
    std::string host;
    std::string port;  // digits, or empty for the scheme's own
    [[nodiscard]] static std::optional<Origin> parse(std::string_view text);
};

// What `ws_origin` allows.
class OriginPolicy {
public:
    enum class Kind { same, any, listed };

    [[nodiscard]] static OriginPolicy same() { return OriginPolicy(Kind::same); }
    [[nodiscard]] static OriginPolicy any() { return OriginPolicy(Kind::any); }
    [[nodiscard]] static OriginPolicy listed() { return OriginPolicy(Kind::listed); }

    // Adds `[scheme://]host[:port]`, where the host may begin with `*.` (any name below that domain, not the domain
    // itself). Without a scheme http and https are meant; without a port the scheme's own. False when it is no such thing.
    [[nodiscard]] bool add(std::string_view pattern);

    // `origin` is the header's value. `host` is the request's Host, `secure` says whether it came over TLS: then a plain
    // http page is not the same origin.
    [[nodiscard]] bool allows(std::string_view origin, std::string_view host, bool secure) const;

private:
    struct Pattern {
        Origin origin;  // its scheme may be empty
        bool below;     // `*.`
    };
    explicit OriginPolicy(Kind kind) noexcept : kind_(kind) {}

    Kind kind_;
    std::vector<Pattern> patterns_;
};

}  // namespace ws::websocket
