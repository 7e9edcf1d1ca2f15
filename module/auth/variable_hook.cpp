#include "auth/variable_hook.h"

#include "auth/verdict.h"

namespace ws::auth {

namespace {

ws_auth_watch_t* ask(const ws_auth_question_t* question, ws_auth_answer_t answer) noexcept {
    const std::string_view value = view(question->arguments[0]);
    const Verdict verdict = value.empty() ? refused(WS_AUTH_DENIED, "value is empty") : allowed(value);
    answer.tell(answer.data, &verdict);
    return nullptr;
}

}  // namespace

const ws_auth_hook_t variable_hook{WS_AUTH_HOOK_VERSION, WS_AUTH_TOKEN_OPTIONAL, "variable", 1, 1, nullptr, ask};

}  // namespace ws::auth
