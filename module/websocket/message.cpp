#include "websocket/message.h"

namespace ws::websocket {

void append_message(std::string& out, Opcode opcode, std::string_view payload, Deflater* deflater,
                    std::size_t threshold, std::optional<MaskKey> mask) {
    if (deflater == nullptr || payload.size() < threshold) {
        append_frame(out, opcode, payload, true, mask);
        return;
    }
    const std::size_t start = out.size();
    deflater->deflate(payload, out);
    std::string header;  // short: allocates nothing
    append_frame_header(header, opcode, out.size() - start, true, mask, rsv1);
    out.insert(start, header);
    if (mask) {
        const std::size_t body = start + header.size();
        apply_mask(out.data() + body, out.size() - body, *mask, 0);
    }
}

}  // namespace ws::websocket
