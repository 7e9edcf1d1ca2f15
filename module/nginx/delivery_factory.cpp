#include "nginx/delivery_factory.h"

#include <bit>
#include <string>

#include "nginx/request_headers.h"
#include "nginx/worker.h"
#include "relay/envelope_delivery.h"
#include "relay/headers_delivery.h"

namespace ws::nginx {

namespace {

// The 1st, 2nd, 4th, 8th ..., so that a log doesn't grow with each.
bool worth_a_line(std::uint64_t total) noexcept { return std::has_single_bit(total); }

relay::OpenRequest open_request(const Connection& connection) {
    const ngx_http_request_t& r = *connection.request;
    relay::OpenRequest request;
    request.uri = view(r.unparsed_uri);
    if (r.headers_in.host != nullptr) { request.host = view(r.headers_in.host->value); }
    request.remote_addr = view(r.connection->addr_text);
    request.traceparent = connection.traceparent;
    if (const auto agreed = response_header_values(r, "Sec-WebSocket-Protocol"); !agreed.empty()) {
        request.protocol = agreed[0];
    }
    return request;
}

relay::EnvelopeOptions envelope_options(const Connection& connection) {
    const LocationConf& conf = *connection.conf;
    relay::EnvelopeOptions options;
    options.json_data = conf.envelope_json != 0;
    options.context_always = conf.envelope_context_always != 0;
    options.replies = conf.envelope_replies != 0;
    options.traceparent_always = conf.traces() == Traces::messages;
    options.limits = {conf.max_message_size, static_cast<std::uint32_t>(conf.max_fragments)};
    options.max_context = conf.max_session_size;
    options.deflate = connection.extensions.deflate;
    options.deflate_level = static_cast<int>(conf.compression_level);
    options.deflate_min_length = conf.compression_min_length;
    // The connection owns the delivery.
    options.on_dropped = [&connection](std::uint64_t total, std::string_view why) {
        Worker::current()->counters().commands_dropped.add();
        if (!worth_a_line(total)) { return; }
        ngx_log_error(NGX_LOG_WARN, connection.client->log, 0,
                      "ws: backend message dropped, connection=%*s: %*s (%uL so far)", connection.id.size(),
                      connection.id.data(), why.size(), why.data(), total);
    };
    return options;
}

relay::HttpOptions http_options(const Connection& connection) {
    const LocationConf& conf = *connection.conf;
    relay::HttpOptions options;
    options.limits = {conf.max_message_size, static_cast<std::uint32_t>(conf.max_fragments)};
    options.json_data = conf.http_json != 0;
    options.error = static_cast<relay::HttpErrorPolicy>(conf.http_error);
    options.concurrency = static_cast<std::uint32_t>(conf.http_concurrency);
    const HttpQueue queue = conf.http_queue != nullptr ? *conf.http_queue : HttpQueue{};
    options.max_waiting = queue.messages;
    options.max_waiting_bytes = queue.bytes;
    options.max_context = conf.max_http_context();
    options.deflate = connection.extensions.deflate;
    options.deflate_level = static_cast<int>(conf.compression_level);
    options.deflate_min_length = conf.compression_min_length;
    // The connection owns the delivery.
    options.on_failure = [&connection](const relay::HttpFailure& failure) {
        if (failure.answered) { Worker::current()->counters().commands_dropped.add(); }
        if (!worth_a_line(failure.total)) { return; }
        ngx_log_error(NGX_LOG_WARN, connection.client->log, 0,
                      "ws: request failed, connection=%*s seq=%uL: %*s (%uL so far)", connection.id.size(),
                      connection.id.data(), failure.sequence, failure.why.size(), failure.why.data(), failure.total);
    };
    return options;
}

}  // namespace

std::unique_ptr<relay::HttpDelivery> make_http_delivery(const Connection& connection, relay::Requests& requests) {
    return std::make_unique<relay::HttpDelivery>(connection.context, http_options(connection), requests);
}

std::unique_ptr<relay::Delivery> make_delivery(const Connection& connection) {
    const LocationConf& conf = *connection.conf;
    relay::MaskKeys& keys = Worker::current()->mask_keys();
    if (conf.delivery_kind() == DeliveryKind::headers) {
        const bool extensions = !upstream_header_values(*connection.request, "Sec-WebSocket-Extensions").empty();
        return std::make_unique<relay::HeadersDelivery>(extensions, keys);
    }
    return std::make_unique<relay::EnvelopeDelivery>(connection.id, connection.context, open_request(connection),
                                                     envelope_options(connection), keys);
}

}  // namespace ws::nginx
