// A question about a session in the store, and an eye on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "auth/verdict.h"

namespace ws::auth {

using Milliseconds = std::chrono::milliseconds;

struct Question {
    std::span<const std::string_view> command;  // copied
    bool live = false;                          // tell about changes as well
    Milliseconds recheck{};                     // how often to look for them where the store doesn't tell
    Milliseconds cache{};  // what was read so long ago, and has not changed as far as is known, will do as an answer
};

// As ws_auth_answer_t::tell: the first call is the answer, later ones tell changes. It comes before watch() has returned if what
// is known will do. Never called after the watch is gone. The callback may destroy its own watch and others.
using Answer = std::function<void(const Verdict&)>;

// How a session is kept from expiring: looked at every `interval`, its time to live is put up to `ttl` unless half of an
// interval ago somebody has done so (another worker, the application). A session without a time to live keeps none.
struct Renewal {
    Milliseconds ttl{};
    Milliseconds interval{};
};

// A question under way or, if live, an eye on the session. Destroying it ends the calls. It is what a hook gives, as it stands.
class Watch : public ws_auth_watch_t {
public:
    Watch() noexcept : ws_auth_watch_t{end_watch, renew_session} {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    virtual ~Watch() = default;

    // From now on, and as long as this watch is there, the session is kept from expiring. Once, after an `allowed`.
    virtual void renew(const Renewal&) = 0;

private:
    static void end_watch(ws_auth_watch_t* watch) noexcept { delete static_cast<Watch*>(watch); }

    static void renew_session(ws_auth_watch_t* watch, std::int64_t ttl, std::int64_t interval) noexcept try {
        static_cast<Watch*>(watch)->renew({Milliseconds(ttl), Milliseconds(interval)});
    } catch (...) {
        // Without memory the session lives as long as it would have.
    }
};

}  // namespace ws::auth
