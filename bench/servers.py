"""What a measurement needs running: Redis, the echo backend, Bun, Pushpin, an nginx for each gateway. All on loopback, in one
temporary directory, and gone when the benchmark ends. Each is started when it is asked for first, and again when it has died."""

import contextlib
import ctypes
import mmap
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/bench"
PEERS = ROOT / "bench/peers"
BUN = ROOT / "build/examples/node_modules/.bin/bun"
MODULES = Path("/usr/lib/nginx/modules")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
START_SECONDS = 20

# 150 bytes, as a session has them.
SESSION = ('{"user":{"id":"4711","name":"Ada Lovelace","email":"ada@example.com"},"roles":["admin","editor"],'
           '"tenant":"example","locale":"en-GB","theme":"dark"}')
SESSIONS = 20000

# Gateways that are an nginx: the file of bench/peers, the modules it needs, and who else has to run.
GATEWAYS = {
    "stock": ("stock", [], ["backend"]),
    "stock+64k": ("stock_64k", [], ["backend"]),
    "module": ("module", [ROOT / "build/ngx_http_ws_module.so"], ["redis", "backend"]),
    "lua": ("lua", [MODULES / "ndk_http_module.so", MODULES / "ngx_http_lua_module.so", BUILD / "lua"],
            ["redis", "backend"]),
    "auth_request": ("auth_request", [], ["redis", "backend", "bun"]),
}

NGINX_CONF = """
{modules}
{user}
daemon off;
master_process {master};
worker_processes 1;
worker_rlimit_nofile {files};
pid nginx.pid;
error_log error.log;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    {peer}
}}
"""


PUSHPIN_CONF = """
[global]
include={{libdir}}/internal.conf
rundir={directory}
ipc_prefix=pushpin-
port_offset=0
stats_connection_ttl=120
[runner]
services=condure,zurl,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:{port}
logdir={directory}
log_level=1
client_buffer_size=8192
client_maxconn=50000
zurl_bin=zurl
[proxy]
routesfile=routes
zurl_out_specs=ipc://{{rundir}}/{{ipc_prefix}}zurl-in
zurl_out_stream_specs=ipc://{{rundir}}/{{ipc_prefix}}zurl-in-stream
zurl_in_specs=ipc://{{rundir}}/{{ipc_prefix}}zurl-out
[handler]
push_in_spec=tcp://127.0.0.1:{push}
push_in_sub_specs=tcp://127.0.0.1:{sub}
push_in_http_addr=127.0.0.1
push_in_http_port={http}
command_spec=tcp://127.0.0.1:{command}
message_rate=2500
message_hwm=25000
"""


class Failure(Exception):
    """Something can't be measured; the first line says why."""


CANDIDATES = random.sample(range(20000, 32000), 12000)  # below the range that the kernel hands out to clients


def free_port():
    """One that nobody has, and that was not given out before."""
    while CANDIDATES:
        port = CANDIDATES.pop()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Failure("no free port found")


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def pss(pid):
    """Proportional set size of a process, in bytes."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError as error:
        raise Failure("its process has ended") from error
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.M)[1]) * 1024


def speaks(port):
    """True when an nginx answers: the port is open before there is a worker."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"not HTTP\r\n\r\n")
            return connection.recv(1) != b""
    except OSError:
        return False


def cpu_time(pid):
    """Nanoseconds of user and system that a process has used."""
    clock = ctypes.c_int()
    if LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)) != 0:
        raise Failure("its process has ended")
    return time.clock_gettime_ns(clock.value)


def settle(pids):
    """Waits until processes do nothing: what was measured before may have left them connections to be closed."""
    deadline = time.monotonic() + 5
    used, before = sum(map(cpu_time, pids)), 0
    while used - before > 200_000 and time.monotonic() < deadline:  # a hundredth of the time
        time.sleep(0.02)
        used, before = sum(map(cpu_time, pids)), used


def child_processes(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def require(path):
    if not path.exists():
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        raise Failure(f"{name} is missing (make bench-deps)")


class Gateway:
    def __init__(self, process, port, gap, has_master):
        self.process = process
        self.port = port
        self.gap = gap
        self.has_master = has_master

    @property
    def worker(self):
        """Its process id: another one when it has died."""
        if not self.has_master:
            return self.process.pid
        deadline = time.monotonic() + START_SECONDS
        while not (workers := child_processes(self.process.pid)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure("nginx has no worker")
            time.sleep(0.02)
        return workers[0]


class Servers:
    def __init__(self):
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            raise Failure("one core for the gateway and one for the load are needed")
        self.gateway_cpu = cpus[-1]
        self.other_cpus = cpus[:-1]
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.files = min(most, 100000)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.files, most))
        self.directory = Path(tempfile.mkdtemp(prefix="ws-bench-"))
        self.directory.chmod(0o755)
        self.processes = []
        self.gateways = {}
        self.services = {}
        # Who has died comes back at the same port: it stands in the configuration of others.
        self.ports = {name: free_port() for name in ("redis", "backend", "bun", "bun itself", "pushpin")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for a_signal in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(a_signal, signal.SIG_IGN)  # nobody stops the cleaning up
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def most_connections(self):
        """A worker has two sockets for each, and the one to the backend has a port of its own."""
        first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
        return min((self.files - 100) // 2, last - first - 1000)

    def start(self, name, command, cpus, environment=None, **options):
        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            os.sched_setaffinity(0, cpus)

        if not shutil.which(command[0]):
            raise Failure(f"{command[0]} is missing (make bench-deps)")
        with open(self.directory / f"{name}.log", "ab") as log:
            options = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **options}
            process = subprocess.Popen(command, cwd=self.directory, preexec_fn=prepare, start_new_session=True,
                                       env={**os.environ, **(environment or {})}, **options)
        self.processes.append(process)
        return process

    def run(self, name, command):
        """A command that ends by itself."""
        process = self.start(name, command, self.other_cpus)
        status = process.wait()
        self.processes.remove(process)
        if status != 0:
            raise Failure(f"{name} ended with {status}\n" + (self.directory / f"{name}.log").read_text()[-2000:])

    def stop(self, process):
        process.terminate()
        process.wait()
        self.processes.remove(process)

    def wait_for_port(self, port, name, process, ready=answers):
        deadline = time.monotonic() + START_SECONDS
        while not ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{name} does not start\n" + (self.directory / f"{name}.log").read_text()[-2000:])
            time.sleep(0.02)

    def service(self, name):
        """Process id of Redis, the backend, Bun or Pushpin."""
        process = self.services.get(name)
        if process is None or process.poll() is not None:
            if process is not None:
                self.processes.remove(process)
            start = {"redis": self._start_redis, "backend": self._start_backend, "pushpin": self._start_pushpin,
                     "bun": lambda port: self._start_bun("bun", port, self.other_cpus),
                     "bun itself": lambda port: self._start_bun("bun itself", port, {self.gateway_cpu})}[name]
            self.services[name] = start(self.ports[name])
        return self.services[name].pid

    def _start_redis(self, port):
        process = self.start("redis", ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "",
                                       "--appendonly", "no", "--dir", str(self.directory)], self.other_cpus)
        self.wait_for_port(port, "redis", process)
        commands = "".join(f"SET session:{number} '{SESSION}'\r\n" for number in range(SESSIONS))
        subprocess.run(["redis-cli", "-p", str(port), "--pipe"], input=commands.encode(), check=True,
                       stdout=subprocess.DEVNULL)
        return process

    def _start_backend(self, port):
        process = self.start("backend", [str(BUILD / "echo"), str(port)], self.other_cpus)
        self.wait_for_port(port, "backend", process)
        return process

    def _start_bun(self, name, port, cpus):
        """One is asked by auth_request; one is a gateway itself and gets that core."""
        require(BUN)
        self.service("redis")
        process = self.start(name, [str(BUN), str(PEERS / "bun.ts")], cpus,
                             {"REDIS_PORT": str(self.ports["redis"]), "PORT": str(port)})
        self.wait_for_port(port, name, process)
        return process

    def _start_pushpin(self, port):
        """With one route, for WebSockets over HTTP."""
        self.service("backend")
        directory = Path(tempfile.mkdtemp(prefix="pushpin-", dir=self.directory))
        (directory / "routes").write_text(f"* 127.0.0.1:{self.ports['backend']},over_http\n")
        (directory / "pushpin.conf").write_text(PUSHPIN_CONF.format(
            port=port, directory=directory, push=free_port(), sub=free_port(), http=free_port(), command=free_port()))
        process = self.start("pushpin", ["pushpin", "--config", str(directory / "pushpin.conf")], {self.gateway_cpu})
        self.wait_for_port(port, "pushpin", process)
        return process

    def serve(self, gateway):
        """The port of a gateway that runs, and the processes that it consists of."""
        if gateway == "bun itself":
            return self.ports[gateway], [self.service(gateway)]
        if gateway == "pushpin":
            return self.ports[gateway], child_processes(self.service(gateway))
        for name in GATEWAYS[gateway][2]:
            self.service(name)
        if gateway not in self.gateways or self.gateways[gateway].process.poll() is not None:
            self.gateways[gateway] = self.new_gateway(gateway)
        return self.gateways[gateway].port, [self.gateways[gateway].worker]

    def new_gateway(self, name, watch_gap=False, under=()):
        """An nginx with one worker on a core of its own; `under` is a command that runs it, without a master then."""
        peer, modules, services = GATEWAYS[name]
        for path in modules:
            require(path)
        for service in services:
            self.service(service)
        port = free_port()
        values = {**self.ports, "port": port, "session": SESSION, "lua": BUILD / "lua"}
        directory = Path(tempfile.mkdtemp(prefix="nginx-", dir=self.directory))
        directory.chmod(0o755)
        text = re.sub(r"@(\w+)@", lambda match: str(values[match[1]]), (PEERS / f"{peer}.conf").read_text())
        conf = directory / "nginx.conf"
        conf.write_text(NGINX_CONF.format(
            modules="\n".join(f'load_module "{path}";' for path in modules if path.suffix == ".so"),
            user="user root;" if os.getuid() == 0 else "", files=self.files, peer=text, master="off" if under else "on",
            connections=2 * self.files))  # when few are left, nginx closes connections that have not sent a request yet
        environment, gap = {}, None
        if watch_gap:
            path = directory / "gap"
            path.write_bytes(bytes(16))
            with path.open("r+b") as file:
                gap = mmap.mmap(file.fileno(), 16)
            environment = {"LD_PRELOAD": str(BUILD / "gap.so"), "GAP_FILE": str(path)}
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        process = self.start(f"nginx-{name}", [*under, program, "-p", f"{directory}/", "-c", str(conf), "-e", "error.log"],
                             {self.gateway_cpu}, environment)
        self.wait_for_port(port, f"nginx-{name}", process, speaks)
        return Gateway(process, port, gap, not under)

    @contextlib.contextmanager
    def alone(self, name, **options):
        """One for a while. Who holds connections to it ends with it."""
        gateway = self.new_gateway(name, **options)
        try:
            yield gateway
        finally:
            self.stop(gateway.process)

    def load(self, mode, under=(), **settings):
        """Runs the load generator, by the command `under` if there is one; returns the numbers it prints."""
        command = [*under, str(BUILD / "load"), mode, *(f"{name}={value}" for name, value in settings.items())]
        process = self.start("load", command, self.other_cpus, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        output, errors = process.communicate()
        self.processes.remove(process)
        if process.returncode != 0:
            raise Failure(errors.strip() or f"the load generator ended with {process.returncode}")
        return [int(number) for number in output.split()]

    def hold(self, **settings):
        """Opens connections, which stay until their gateway ends."""
        command = [str(BUILD / "load"), "hold", *(f"{name}={value}" for name, value in settings.items())]
        process = self.start("load", command, self.other_cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        if process.stdout.readline().strip() != "open":
            _, errors = process.communicate()
            self.processes.remove(process)
            raise Failure(errors.strip() or f"the load generator ended with {process.returncode}")


def read_gap(gap):
    """The longest absence from epoll_wait(), in seconds: of time, and of CPU."""
    wall, cpu = struct.unpack("QQ", gap[:16])
    return wall / 1e9, cpu / 1e9


def clear_gap(gap):
    gap[:16] = bytes(16)
