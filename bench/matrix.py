"""What is compared with what, and the targets. A row more is a line more here; a peer more is a file in bench/peers and a
line in GATEWAYS (bench/servers.py)."""

from dataclasses import dataclass


COOKIE = "X-Token=%d"  # another session for each connection


@dataclass(frozen=True)
class Subject:
    """Who is measured: a gateway (or "bun itself"), the path asked for, and whose CPU counts."""
    name: str
    gateway: str
    path: str
    pays: tuple = ("gateway",)
    client: str = "echo"  # how messages are sent: over a WebSocket, or as POST requests ("post")


@dataclass(frozen=True)
class Echo:
    size: int
    in_flight: int
    connections: int = 100
    cookie: str = COOKIE

    def __str__(self):
        size = f"{self.size // 1024} KiB" if self.size >= 1024 else f"{self.size} B"
        return f"{size}, {self.in_flight} in flight"


@dataclass(frozen=True)
class Upgrade:
    connections: int = 50
    cookie: str = COOKIE

    def __str__(self):
        return "upgrade" if self.cookie == COOKIE else "upgrade, one session"


@dataclass(frozen=True)
class Row:
    what: Subject
    against: Subject
    load: object
    target: float = None  # the ratio of CPU is not to be more; None: for information


STOCK = Subject("stock", "stock", "/raw")
STOCK_64K = Subject("stock+64k", "stock+64k", "/raw")
HEADERS = Subject("headers", "module", "/headers")
ENVELOPE = Subject("envelope", "module", "/envelope")
COMMANDS = Subject("envelope replies", "module", "/commands")
HTTP = Subject("http", "module", "/http")
POSTS = Subject("proxy_pass of POSTs", "stock", "/post", client="post")
PUSHPIN = Subject("Pushpin", "pushpin", "/http")
LUA_FRAMES = Subject("Lua frame proxy", "lua", "/envelope")
BUN_ITSELF = Subject("Bun itself", "bun itself", "/")

LOOKUP = Subject("Redis lookup", "module", "/headers", ("gateway", "redis"))
CACHED = Subject("cached session", "module", "/cached", ("gateway", "redis"))
LUA_LOOKUP = Subject("access_by_lua", "lua", "/auth", ("gateway", "redis"))
AUTH_REQUEST = Subject("auth_request to Bun", "auth_request", "/raw", ("gateway", "bun", "redis"))
BUN_LOOKUP = Subject("Bun itself", "bun itself", "/", ("gateway", "redis"))
ONE_SESSION = Upgrade(cookie="X-Token=1")
NO_AUTH = Subject("stock without auth", "stock", "/raw")

ROWS = [
    Row(HEADERS, STOCK, Echo(64, 1), 1.00),
    Row(HEADERS, STOCK, Echo(64, 16), 1.00),
    Row(HEADERS, STOCK, Echo(1024, 1), 1.00),
    Row(HEADERS, STOCK, Echo(1024, 16), 0.28),
    Row(HEADERS, STOCK, Echo(16384, 1), 0.28),
    Row(HEADERS, STOCK, Echo(131072, 1), 0.28),
    *(Row(HEADERS, STOCK_64K, load, 0.95)
      for load in (Echo(64, 1), Echo(64, 16), Echo(1024, 1), Echo(1024, 16), Echo(16384, 1), Echo(131072, 1))),
    Row(ENVELOPE, STOCK, Echo(64, 1), 1.15),
    Row(ENVELOPE, STOCK, Echo(1024, 1), 1.15),
    Row(ENVELOPE, STOCK, Echo(64, 16), 1.8),
    Row(ENVELOPE, STOCK, Echo(16384, 1), 0.50),
    Row(ENVELOPE, LUA_FRAMES, Echo(64, 16), 0.08),
    Row(COMMANDS, STOCK, Echo(1024, 1), 1.4),
    Row(HTTP, POSTS, Echo(64, 1), 1.3),
    Row(HTTP, PUSHPIN, Echo(64, 1), 0.10),
    Row(HTTP, POSTS, Echo(1024, 1), 1.3),
    Row(HTTP, PUSHPIN, Echo(1024, 1), 0.10),
    Row(LOOKUP, LUA_LOOKUP, Upgrade(), 0.70),
    Row(LOOKUP, AUTH_REQUEST, Upgrade(), 0.70),
    Row(CACHED, NO_AUTH, ONE_SESSION, 1.05),
    Row(LUA_FRAMES, STOCK, Echo(64, 16)),
    Row(HEADERS, BUN_ITSELF, Echo(64, 1)),
    Row(LUA_LOOKUP, NO_AUTH, Upgrade()),
    Row(LOOKUP, NO_AUTH, Upgrade()),
    Row(LOOKUP, BUN_LOOKUP, Upgrade()),
]

# What is counted instead of timed (scripts/bench-counts).
COUNTS = [
    *((subject, Echo(64, 1)) for subject in (STOCK, HEADERS, ENVELOPE, HTTP, POSTS)),
    *((subject, Echo(64, 16)) for subject in (STOCK, HEADERS, ENVELOPE)),
    *((subject, Echo(1024, 1)) for subject in (STOCK, HEADERS, ENVELOPE)),
    *((subject, Echo(16384, 1)) for subject in (STOCK_64K, HEADERS, ENVELOPE)),
    (NO_AUTH, Upgrade()),
    (CACHED, ONE_SESSION),
    (LOOKUP, Upgrade()),
    (LUA_LOOKUP, Upgrade()),
    (AUTH_REQUEST, Upgrade()),
]

# Memory: bytes of an idle connection, the ratio not to be more; of one that has carried nothing yet, and of one that has
# carried a message of 64 KiB, which is when large buffers have really got their pages.
MEMORY = [STOCK, STOCK_64K, HEADERS, ENVELOPE, HTTP]
MEMORY_USED = 65536
MEMORY_TARGETS = [("fresh", HEADERS, STOCK, 0.55), ("fresh", ENVELOPE, STOCK, 0.55), ("used", HEADERS, STOCK_64K, 0.10)]
MEMORY_LIMITS = [("fresh", HTTP, 6 * 1024)]  # in bytes
MEMORY_COUNTS = [1000, 9000, 10000]  # connections, where there are files for them; and as many as there are files for
MEMORY_TARGET_COUNT = 9000

# Growth: CPU per message, with one of GROWTH_SIZE in flight on each of so many connections.
GROWTH = [STOCK, HEADERS, ENVELOPE]
GROWTH_SIZE = 64
GROWTH_COUNTS = [100, 1000, 10000]

# The longest absence from the event loop, in seconds on the clock (what blocks takes no CPU time), while so many sockets
# idle and so many upgrades a second arrive.
GAP = [HEADERS, ENVELOPE, STOCK]
GAP_TARGET = 0.005
GAP_CONNECTIONS = 9000
GAP_RATE = 200
