// A command under way: its callback, shared by the handle that may cancel it and the queue that will answer it.
#pragma once

#include "redis/store.h"

#include <utility>

namespace ws::redis {

class Command {
public:
    explicit Command(Store::Done done) : done_(std::move(done)) {}

    // Runs the callback unless the command was cancelled or has been answered. The callback may destroy the handle.
    void answer(const Outcome& outcome) {
        if (Store::Done done = std::exchange(done_, nullptr)) { done(outcome); }
    }

    void cancel() noexcept { done_ = nullptr; }
    // Or answered.
    [[nodiscard]] bool cancelled() const noexcept { return done_ == nullptr; }

private:
    Store::Done done_;
};

class CommandHandle final : public Pending {
public:
    explicit CommandHandle(std::shared_ptr<Command> command) noexcept : command_(std::move(command)) {}
    CommandHandle(const CommandHandle&) = delete;
    CommandHandle& operator=(const CommandHandle&) = delete;
    ~CommandHandle() override { command_->cancel(); }

private:
    std::shared_ptr<Command> command_;
};

}  // namespace ws::redis
