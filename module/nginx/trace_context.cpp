#include "nginx/trace_context.h"

#include <optional>
#include <string>

#include "context/traceparent.h"
#include "nginx/request_headers.h"
#include "nginx/worker.h"

namespace ws::nginx {

void join_trace(Connection& connection) {
    static constexpr std::string_view name = "traceparent";
    ngx_http_request_t& r = *connection.request;
    const LocationConf& conf = *connection.conf;
    if (conf.traces() == Traces::off) { return; }
    const HeaderValue received = header_value(r, name);
    // Two of them: nobody knows which one counts.
    std::optional<std::string> known =
        received.lines == 1 ? context::accepted_traceparent(received.first) : std::nullopt;
    if (known && *known == received.first) {
        connection.traceparent = std::move(*known);
        return;
    }
    hide_header(r, name);
    if (!known) {
        // Trace Context 3.3: what it says belongs to the other trace.
        hide_header(r, "tracestate");
        known = context::new_traceparent(Worker::current()->random().take<context::traceparent_entropy>(),
                                         conf.trace_sampled != 0);
    }
    connection.traceparent = std::move(*known);
    static const HeaderName traceparent(name);
    add_header(r, traceparent, view(copy(r.pool, connection.traceparent)));
}

}  // namespace ws::nginx
