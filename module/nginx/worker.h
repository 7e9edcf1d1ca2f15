// What one worker process has: the sessions it knows, working memory, and the tunnels it must end when it is told to go.
#pragma once

#include "nginx/ngx.h"

#include <array>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "auth/sha1.h"
#include "context/recent_contexts.h"
#include "nginx/random.h"
#include "nginx/redis_server.h"
#include "nginx/redis_sessions.h"
#include "nginx/status_zone.h"
#include "relay/relay.h"
#include "relay/requests.h"

namespace ws::nginx {

class ControlBus;
class ControlDesk;
class HttpBackend;
struct ControlSettings;
class Tunnel;

// Masking keys out of the kernel's generator (RFC 6455 10.3), fetched many at a time.
class RandomMaskKeys final : public relay::MaskKeys {
public:
    [[nodiscard]] websocket::MaskKey next() noexcept override;

private:
    std::array<websocket::MaskKey, 256> keys_{};
    std::size_t used_ = keys_.size();
};

class Worker final {
public:
    explicit Worker(ngx_cycle_t* cycle) noexcept;
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    // This process's, made at first use. Null in a process that serves no requests.
    [[nodiscard]] static Worker* current() noexcept;

    [[nodiscard]] RedisSessions& sessions(const RedisServer& server);
    [[nodiscard]] context::RecentContexts& recent_contexts() noexcept { return recent_contexts_; }
    [[nodiscard]] RedisStore& store(const RedisServer& server) { return sessions(server).store(); }
    [[nodiscard]] relay::Scratch& scratch() noexcept { return scratch_; }
    // What this worker counts.
    [[nodiscard]] status::Counters& counters() noexcept { return *counters_; }
    // What all of them have counted.
    [[nodiscard]] status::Board& status_board() noexcept { return zone_.board(); }
    [[nodiscard]] relay::MaskKeys& mask_keys() noexcept { return mask_keys_; }
    [[nodiscard]] RandomBytes& random() noexcept { return random_; }
    [[nodiscard]] auth::Sha1& sha1() noexcept { return sha1_; }

    // The tunnels of this worker by their connections' ids, in the order that pages of them have. A tunnel is here as long as it is open.
    using Tunnels = std::map<std::string_view, Tunnel*>;
    [[nodiscard]] Tunnels::iterator add(Tunnel& tunnel);
    void remove(Tunnels::iterator place) noexcept;
    [[nodiscard]] const Tunnels& tunnels() const noexcept { return tunnels_; }
    // One of those that have ended not long ago.
    [[nodiscard]] bool had(std::string_view id) const noexcept;

    // What other workers are reached by, for this ws_control.
    [[nodiscard]] ControlBus& bus(const ControlSettings& settings);

    // How long a connection may take that has `time` to end, once the worker has been told to go: not longer than nginx
    // itself waits (worker_shutdown_timeout).
    [[nodiscard]] ngx_msec_t drain_time(ngx_msec_t time) const noexcept;

    // What is left of it for the end of a connection that is told now; never so little that nobody could answer.
    [[nodiscard]] ngx_msec_t drain_left(ngx_msec_t time) noexcept;

    // When the worker was told to go, or now. Only while nginx says that it was (ngx_exiting).
    [[nodiscard]] ngx_msec_t exiting_since() noexcept {
        if (!exiting_since_) { exiting_since_ = ngx_current_msec; }
        return *exiting_since_;
    }

    // Calls a tunnel's on_session() soon. Thousands may share a session that ends: they have their turns in small groups,
    // so that no event of another connection has to wait for all of them.
    using Notices = std::list<Tunnel*>;
    [[nodiscard]] Notices::iterator notify(Tunnel& tunnel);
    void forget(Notices::iterator notice) noexcept { notices_.erase(notice); }

    // Requests of http delivery under way in this worker: takes one of `most`, unless there are so many or somebody waits.
    [[nodiscard]] bool take_request(std::size_t most) noexcept;
    void request_ended(relay::HttpEvent::Kind event, status::HttpResult result) noexcept;
    // Has the backend's on_room() called once it is its turn.
    using HttpBackends = std::list<HttpBackend*>;
    [[nodiscard]] HttpBackends::iterator wait_for_request(HttpBackend& backend);
    void forget_waiting(HttpBackends::iterator place) noexcept { waiting_.erase(place); }

private:
    static void on_room(ngx_event_t* event) noexcept;
    void watch_for_exit();
    static void on_notices(ngx_event_t* event) noexcept;
    static void on_exit_notice(ngx_event_t* event) noexcept;
    void drain() noexcept;

    ngx_cycle_t* cycle_;
    StatusZone zone_;
    status::Counters* counters_;
    context::RecentContexts recent_contexts_;
    relay::Scratch scratch_;
    RandomMaskKeys mask_keys_;
    RandomBytes random_;
    auth::Sha1 sha1_;
    std::unordered_map<const RedisServer*, std::unique_ptr<RedisSessions>> sessions_;
    Tunnels tunnels_;
    std::deque<std::string> ended_;  // ids, the newest last
    std::unique_ptr<ControlDesk> desk_;
    std::map<std::string, std::unique_ptr<ControlBus>> buses_;  // by server and channel
    Notices notices_;                                           // of tunnels whose session has changed
    ngx_connection_t no_socket_{};                              // events want one for the debug log
    ngx_event_t notify_{};
    std::optional<ngx_msec_t> exiting_since_;
    HttpBackends waiting_;
    std::size_t requests_ = 0;
    bool whose_turn_ = false;  // on_room() is being called: others wait behind it
    ngx_event_t room_{};
    ngx_connection_t* notice_ = nullptr;  // nginx tells idle connections when the worker has to go
};

// For ngx_module_t.
ngx_int_t init_process(ngx_cycle_t* cycle) noexcept;
void exit_process(ngx_cycle_t* cycle) noexcept;

}  // namespace ws::nginx
