// The contexts that were made last, so that a session that is met again, by a client that comes back or by another
// connection of the same user, needn't be parsed again, and shares its context.
#pragma once

#include "context/context.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ws::context {

// For contexts that are made of nothing but the session's text.
class RecentContexts final {
public:
    // The context that was made of exactly this text; null if it isn't there any more.
    [[nodiscard]] std::shared_ptr<const Context> find(std::string_view session) const {
        const Place& place = places_[index(session)];
        return place.session == session ? place.context : nullptr;
    }

    // Takes the place of another.
    void add(std::string_view session, std::shared_ptr<const Context> context) {
        if (session.size() > max_session) return;
        places_[index(session)] = {std::string(session), std::move(context)};
    }

private:
    struct Place {
        std::string session;
        std::shared_ptr<const Context> context;
    };
    static constexpr std::size_t places = 256;
    static constexpr std::size_t max_session = 4096;  // of a larger one the copy would not be worth it

    static std::size_t index(std::string_view session) { return std::hash<std::string_view>{}(session) % places; }

    std::array<Place, places> places_;
};

}  // namespace ws::context
