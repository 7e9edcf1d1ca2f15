"""One end of a WebSocket: frames and messages over a stream."""

import struct

from expectation import check, equal, shown
from frame import BINARY, CLOSE, CONTINUATION, OPCODES, PING, PONG, TEXT, frame, mask_bytes
from octets import to_bytes
from stream import Stream


class WebSocket(Stream):
    """Frames over a stream. `masks`: whether this end masks what it sends."""

    masks = False
    last_mask = None

    def send_frame(self, opcode, payload=b"", fin=True, mask=None, rsv=0, key=b"\x12\x34\x56\x78"):
        """mask: None is what this end has to do, True or False break the rule."""
        masked = self.masks if mask is None else mask
        self.send(frame(opcode, payload, fin, key if masked else None, rsv))

    def send_text(self, text):
        self.send_frame(TEXT, text)

    def send_binary(self, data):
        self.send_frame(BINARY, data)

    def send_ping(self, data=b""):
        self.send_frame(PING, data)

    def send_pong(self, data=b""):
        self.send_frame(PONG, data)

    def send_close(self, code=None, reason=""):
        self.send_frame(CLOSE, b"" if code is None else struct.pack("!H", code) + to_bytes(reason))

    def recv_frame(self):
        """(fin, rsv, opcode, payload); fails when the other end's masking is wrong."""
        self._before_frames()
        first, second = self.recv_exact(2)
        masked, size = bool(second & 0x80), second & 0x7f
        equal(masked, not self.masks, f"{self.name}: mask bit of a received frame")
        if size == 126:
            size, = struct.unpack("!H", self.recv_exact(2))
            check(size > 125, "shortest length encoding")
        elif size == 127:
            size, = struct.unpack("!Q", self.recv_exact(8))
            check(size > 65535, "shortest length encoding")
        self.last_mask = self.recv_exact(4) if masked else None
        payload = self.recv_exact(size)
        if masked:
            payload = mask_bytes(payload, self.last_mask)
        return bool(first & 0x80), first >> 4 & 7, first & 15, payload

    def _before_frames(self):
        pass

    def recv_message(self):
        """(opcode, payload) of a whole message; a control frame counts as one."""
        fin, rsv, opcode, payload = self.recv_frame()
        equal(rsv, 0, f"{self.name}: reserved bits")
        while not fin:
            fin, rsv, following, more = self.recv_frame()
            equal((rsv, following), (0, CONTINUATION), f"{self.name}: (reserved bits, opcode) within a message")
            payload += more
        return opcode, payload

    def _expect(self, opcode, payload):
        got, data = self.recv_message()
        equal((OPCODES.get(got, got), data), (OPCODES[opcode], to_bytes(payload)), f"{self.name}: message")

    def expect_text(self, text):
        self._expect(TEXT, text)

    def expect_binary(self, data):
        self._expect(BINARY, data)

    def expect_ping(self, data=b""):
        self._expect(PING, data)

    def expect_pong(self, data=b""):
        self._expect(PONG, data)

    def recv_text(self):
        opcode, data = self.recv_message()
        equal(OPCODES.get(opcode, opcode), "text", f"{self.name}: kind of message, with {shown(data)}")
        return data.decode()

    def recv_close(self):
        """(code, reason) of a close frame; (None, "") for one without a code."""
        opcode, data = self.recv_message()
        equal(OPCODES.get(opcode, opcode), "close", f"{self.name}: with {shown(data)}")
        return (struct.unpack("!H", data[:2])[0] if len(data) >= 2 else None), data[2:].decode()

    def expect_close(self, code=None, reason=None):
        """A close frame; code None is one without a code, reason None is any reason."""
        got_code, got_reason = self.recv_close()
        equal(got_code, code, f"{self.name}: with {shown(got_reason)}")
        if reason is not None:
            equal(got_reason, reason, f"{self.name}: close reason")
