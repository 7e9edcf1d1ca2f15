// What Redis' answer to a lookup means.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "auth/verdict.h"
#include "redis/store.h"

namespace ws::auth {

// What was asked decides with what was answered:
//
//   a string                   a session's JSON text
//   an array, after HMGET      the values of the fields that the command names; a nil one is left out, all nil: no session
//   any other array            names and values in turn, as HGETALL answers; an empty one: no session
//   nil                        no session
//   anything else              no answer that a session can be made of: a number, a status, arrays in an array
//
// The verdict has views into the outcome, or into `made`, where the text of a session is put that isn't there as one.
[[nodiscard]] Verdict judge(const redis::Outcome& outcome, std::span<const std::string> command, std::string& made);

}  // namespace ws::auth
