// Does with one worker's connections what is asked for, whoever asks: the worker's own ws_control, or others by the bus.
//
// Thousands of connections are gone through in pieces, so that no event of theirs has to wait for all of them.
#pragma once

#include "nginx/ngx.h"

#include <functional>
#include <list>
#include <string>

#include "control/answer.h"
#include "control/request.h"

namespace ws::nginx {

class Tunnel;
class Worker;

class ControlDesk final {
public:
    using Done = std::function<void(control::Answer)>;

    // Both outlive the desk.
    ControlDesk(Worker& worker, ngx_log_t* log);
    ControlDesk(const ControlDesk&) = delete;
    ControlDesk& operator=(const ControlDesk&) = delete;
    ~ControlDesk();

    // `done` is called once, from an event of the desk's, never before submit() has returned; it must not throw. False: so many requests
    // wait already that this one is not taken. Throws std::bad_alloc.
    [[nodiscard]] bool submit(control::Request request, Done done);

private:
    struct Task {
        control::Request request;
        Done done;
        control::Answer answer{};
        std::string last{};     // id that was looked at
        std::size_t bytes = 0;  // of the page
    };

    static void on_work(ngx_event_t* event) noexcept;
    [[nodiscard]] bool work(Task& task);
    [[nodiscard]] bool piece(Task& task);
    [[nodiscard]] bool take(Task& task, const control::List& list, const Tunnel& tunnel);
    [[nodiscard]] Tunnel* find(std::string_view id, control::Answer& answer) const;
    void look(const control::Look& look, control::Answer& answer) const;
    void act(const control::Act& act, control::Answer& answer) const;

    Worker& worker_;
    ngx_log_t* log_;
    std::list<Task> tasks_;
    ngx_connection_t no_socket_{};  // events want one for the debug log
    ngx_event_t event_{};
};

}  // namespace ws::nginx
