// What Redis' answer to a lookup means.
#pragma once

#include "auth/hook.h"
#include "redis/store.h"

namespace ws::auth {

// A string is a session's JSON text, an array is the fields of a hash (HGETALL); nil and an empty hash are no session.
// The verdict has views into the outcome.
[[nodiscard]] Verdict judge(const redis::Outcome& outcome);

}  // namespace ws::auth
