#include "nginx/control_desk.h"

#include <utility>

#include "nginx/tunnel.h"
#include "nginx/worker.h"

namespace ws::nginx {

namespace {

using control::Answer;
using relay::CommandResult;

constexpr std::size_t max_tasks = 1024;

// Connections in one piece, and bytes of their contexts that are parsed; one context has any size.
constexpr int at_a_time = 64;
constexpr std::size_t bytes_at_a_time = 64 * 1024;

void set(Answer& answer, int status, std::string_view detail) {
    answer.status = status;
    answer.detail = detail;
}

// For the log.
std::string_view name(const context::Command& command) noexcept {
    if (std::holds_alternative<context::MessageCommand>(command)) { return "message"; }
    return std::holds_alternative<context::ContextCommand>(command) ? "context" : "close";
}

void set_result(Answer& answer, const context::Command& command, CommandResult result) {
    switch (result) {
        case CommandResult::done:
            answer.status = std::holds_alternative<context::MessageCommand>(command) ? control::status::accepted
                                                                                     : control::status::no_content;
            return;
        case CommandResult::ending: return set(answer, control::status::gone, "the connection is being closed");
        case CommandResult::impossible:
            return set(answer, control::status::conflict,
                       "the context of this connection has gone to the backend with its headers");
        case CommandResult::busy:
            return set(answer, control::status::unavailable, "too much waits for this client already");
        case CommandResult::too_large:
            return set(answer, control::status::too_large,
                       std::holds_alternative<context::MessageCommand>(command)
                           ? "the message is larger than ws_max_message_size"
                           : "the context would be too large");
    }
}

}  // namespace

ControlDesk::ControlDesk(Worker& worker, ngx_log_t* log) : worker_(worker), log_(log) {
    no_socket_.fd = static_cast<ngx_socket_t>(-1);
    no_socket_.data = this;
    event_.data = &no_socket_;
    event_.log = log;
    event_.handler = on_work;
}

ControlDesk::~ControlDesk() {
    if (event_.posted) { ngx_delete_posted_event(&event_); }
}

bool ControlDesk::submit(control::Request request, Done done) {
    if (tasks_.size() >= max_tasks) { return false; }
    tasks_.push_back({std::move(request), std::move(done)});
    ngx_post_event(&event_, &ngx_posted_events);
    return true;
}

void ControlDesk::on_work(ngx_event_t* event) noexcept {
    auto& self = *static_cast<ControlDesk*>(static_cast<ngx_connection_t*>(event->data)->data);
    // `done` may submit more, behind these.
    for (std::size_t n = self.tasks_.size(); n > 0; --n) {
        Task& task = self.tasks_.front();
        bool done = true;
        try {
            done = self.work(task);
        } catch (...) {
            task.answer = {};
            task.answer.status = control::status::unavailable;
        }
        if (!done) {
            self.tasks_.splice(self.tasks_.end(), self.tasks_, self.tasks_.begin());
            break;  // one piece in each turn
        }
        std::list<Task> finished;
        finished.splice(finished.begin(), self.tasks_, self.tasks_.begin());
        finished.front().done(std::move(finished.front().answer));
    }
    if (!self.tasks_.empty()) { ngx_post_event(event, &ngx_posted_next_events); }
}

// True when it is done.
bool ControlDesk::work(Task& task) {
    if (const auto* look = std::get_if<control::Look>(&task.request)) {
        this->look(*look, task.answer);
        return true;
    }
    if (const auto* act = std::get_if<control::Act>(&task.request)) {
        this->act(*act, task.answer);
        return true;
    }
    return piece(task);
}

Tunnel* ControlDesk::find(std::string_view id, Answer& answer) const {
    const auto found = worker_.tunnels().find(id);
    if (found != worker_.tunnels().end()) { return found->second; }
    if (worker_.had(id)) {
        set(answer, control::status::gone, "the connection has ended");
    } else {
        set(answer, control::status::not_found, "there is no such connection");
    }
    return nullptr;
}

void ControlDesk::look(const control::Look& look, Answer& answer) const {
    if (const Tunnel* tunnel = find(look.id, answer)) { answer.connections.push_back(tunnel->describe()); }
}

void ControlDesk::act(const control::Act& act, Answer& answer) const {
    Tunnel* tunnel = find(act.id, answer);
    if (tunnel == nullptr) { return; }
    const std::string_view what = name(act.command);
    ngx_log_error(NGX_LOG_INFO, log_, 0, "ws: ws_control %*s, connection=%*s", what.size(), what.data(), act.id.size(),
                  act.id.data());
    set_result(answer, act.command, tunnel->command(act.command));
}

// Goes on behind the connection that was looked at last. A connection may go while another is closed, so none is held on to.
bool ControlDesk::piece(Task& task) {
    const auto* list = std::get_if<control::List>(&task.request);
    const auto* all = std::get_if<control::CloseAll>(&task.request);
    const control::Selection& selection = list != nullptr ? list->selection : all->selection;
    if (list != nullptr && task.last.empty()) { task.last = list->after; }
    std::size_t parsed = 0;
    for (int n = 0; n < at_a_time && parsed < bytes_at_a_time; ++n) {
        const auto next = worker_.tunnels().upper_bound(task.last);
        if (next == worker_.tunnels().end()) { return true; }
        task.last = next->first;
        Tunnel& tunnel = *next->second;
        if (!selection.filters.empty()) { parsed += tunnel.context().size(); }
        const std::string session = selection.session.empty() ? std::string() : tunnel.session_name();
        if (!selection.matches(session, tunnel.context())) { continue; }
        if (list != nullptr) {
            if (!take(task, *list, tunnel)) { return true; }
        } else if (tunnel.command(all->close) == CommandResult::done) {
            ++task.answer.closed;
        }
    }
    return false;
}

// False: the page is full.
bool ControlDesk::take(Task& task, const control::List& list, const Tunnel& tunnel) {
    Answer& answer = task.answer;
    answer.more = answer.connections.size() == list.limit || task.bytes >= control::max_page;
    if (answer.more) { return false; }
    answer.connections.push_back(tunnel.describe());
    task.bytes += answer.connections.back().size();
    return true;
}

}  // namespace ws::nginx
