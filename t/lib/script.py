"""What a functional test's client script has at hand: raw sockets, deterministic, synchronous.

A script plays the client and the backend of one gateway in one thread:

    c = client("/chat", cookie="X-Token=abc")    # sends the request, reads nothing yet
    b = backend.accept()                         # reads the head of the request to the backend
    b.upgrade()                                  # answers 101
    equal(c.status, 101)                         # now the answer is read
    c.send_text("hello")
    b.expect_text("hello")

or shorter `c, b = tunnel("/chat", cookie="X-Token=abc")`.
"""

import base64
import os
import re
import select
import signal
import socket
import struct
import threading
import time

from backend import Backend, BackendConnection, backend
from background import in_thread
from client import Client, client, dial, get
from environment import PORT, TEST_DIR, TIMEOUT, TLS_PORT
from expectation import Failure, check, equal, fail, matches, shown, wait_until
from frame import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, mask_bytes
from handshake import KEY, accept_key, request_bytes
from listener import Listener, listen_unix
from nginx import nginx
from octets import to_bytes
from process import running
from redis_client import Redis, redis
from stream import TRICKLE, Stream
from tunnel import tunnel
from websocket import WebSocket

NAMES = {name: value for name, value in globals().items() if not name.startswith("_")}
