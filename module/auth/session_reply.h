// What Redis' answer to a lookup means.
#pragma once

#include <string>

#include "auth/verdict.h"
#include "redis/store.h"

namespace ws::auth {

// A string is a session's JSON text, an array is the fields of a hash (HGETALL); nil and an empty hash are no session.
// The verdict has views into the outcome, or into `made`, where the text of a session is put that isn't there as one.
[[nodiscard]] Verdict judge(const redis::Outcome& outcome, std::string& made);

}  // namespace ws::auth
