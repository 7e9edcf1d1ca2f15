"""What a measurement needs running: Redis, the echo backend, Bun, an nginx for each gateway. All on loopback, in one
temporary directory, and gone when the benchmark ends."""

import ctypes
import mmap
import os
import random
import re
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

# Gateways: the file of bench/peers, and the modules it needs.
GATEWAYS = {
    "stock": ("stock", []),
    "stock+64k": ("stock_64k", []),
    "module": ("module", [ROOT / "build/ngx_http_ws_module.so"]),
    "lua": ("lua", [MODULES / "ndk_http_module.so", MODULES / "ngx_http_lua_module.so"]),
    "auth_request": ("auth_request", []),
}

NGINX_CONF = """
{modules}
{user}
daemon off;
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
    """The benchmark can't go on; the text says why."""


def free_port():
    """A port below the range that the kernel hands out to clients."""
    for port in random.sample(range(20000, 32000), 100):
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
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.M)[1]) * 1024


class Gateway:
    def __init__(self, process, port, gap):
        self.process = process
        self.port = port
        self.gap = gap
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + START_SECONDS
        while not (workers := children.read_text().split()):
            if time.monotonic() > deadline:
                raise Failure("nginx has no worker")
            time.sleep(0.02)
        self.worker = int(workers[0])


class Servers:
    def __init__(self):
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            raise Failure("one core for the gateway and one for the load are needed")
        self.gateway_cpu = cpus[-1]
        self.other_cpus = cpus[:-1]
        self.files = min(os.sysconf("SC_OPEN_MAX"), 100000)
        self.directory = Path(tempfile.mkdtemp(prefix="ws-bench-"))
        self.directory.chmod(0o755)
        self.processes = []
        self.gateways = {}
        self.ports = {}
        self.pids = {}

    def __enter__(self):
        try:
            self._start_redis()
            self._start_backend()
            self._start_bun()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, name, command, cpus, environment=None, directory=None, **options):
        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            os.sched_setaffinity(0, cpus)

        log = open(self.directory / f"{name}.log", "ab")
        options = {"stdin": subprocess.DEVNULL, "stdout": log, **options}
        process = subprocess.Popen(command, cwd=directory or self.directory, stderr=log, preexec_fn=prepare,
                                   env={**os.environ, **(environment or {})}, start_new_session=True, **options)
        log.close()
        self.processes.append(process)
        return process

    def stop(self, process):
        process.terminate()
        process.wait()
        self.processes.remove(process)

    def wait_until(self, ready, name, process):
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{name} does not start:\n" + (self.directory / f"{name}.log").read_text()[-2000:])
            time.sleep(0.02)

    def _start_redis(self):
        port = self.ports["redis"] = free_port()
        process = self.start("redis", ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "",
                                       "--appendonly", "no", "--dir", str(self.directory)], self.other_cpus)
        self.wait_until(lambda: answers(port), "redis", process)
        commands = "".join(f"SET session:{number} '{SESSION}'\r\n" for number in range(SESSIONS))
        subprocess.run(["redis-cli", "-p", str(port), "--pipe"], input=commands.encode(), check=True,
                       stdout=subprocess.DEVNULL)
        self.pids["redis"] = process.pid

    def _start_backend(self):
        process = self.start("backend", [BUILD / "echo"], self.other_cpus, stdout=subprocess.PIPE, text=True)
        self.ports["backend"] = int(process.stdout.readline())
        self.pids["backend"] = process.pid

    def _start_bun(self):
        """One that is asked by auth_request, and one that is a gateway itself and gets that core."""
        if not BUN.exists():
            raise Failure(f"{BUN} is missing: run scripts/deps")
        for name, cpus in (("bun", self.other_cpus), ("bun itself", {self.gateway_cpu})):
            process = self.start(name, [BUN, PEERS / "bun.ts"], cpus, {"REDIS_PORT": str(self.ports["redis"])},
                                 stdout=subprocess.PIPE, text=True)
            line = process.stdout.readline()
            if not line.strip().isdigit():
                raise Failure("bun does not start:\n" + (self.directory / f"{name}.log").read_text())
            self.ports[name] = int(line)
            self.pids[name] = process.pid

    def pushpin(self):
        """Its port, and the processes that it consists of; one route, with WebSockets over HTTP."""
        if "pushpin" not in self.ports:
            port, directory = free_port(), self.directory / "pushpin"
            directory.mkdir()
            (directory / "routes").write_text(f"* 127.0.0.1:{self.ports['backend']},over_http\n")
            (directory / "pushpin.conf").write_text(PUSHPIN_CONF.format(
                port=port, directory=directory, push=free_port(), sub=free_port(), http=free_port(), command=free_port()))
            process = self.start("pushpin", ["pushpin", "--config", str(directory / "pushpin.conf")], {self.gateway_cpu})
            self.wait_until(lambda: answers(port), "pushpin", process)
            self.ports["pushpin"], self.pids["pushpin"] = port, process.pid
        children = Path(f"/proc/{self.pids['pushpin']}/task/{self.pids['pushpin']}/children").read_text()
        return self.ports["pushpin"], [int(pid) for pid in children.split()]

    def gateway(self, name):
        if name not in self.gateways:
            self.gateways[name] = self.new_gateway(name)
        return self.gateways[name]

    def new_gateway(self, name, watch_gap=False):
        """An nginx with one worker on a core of its own. Stopped by end_gateway(), or with all the rest."""
        peer, modules = GATEWAYS[name]
        port = free_port()
        values = {**self.ports, "port": port, "session": SESSION, "lua": BUILD / "lua"}
        directory = Path(tempfile.mkdtemp(prefix="nginx-", dir=self.directory))
        directory.chmod(0o755)
        text = re.sub(r"@(\w+)@", lambda match: str(values[match[1]]), (PEERS / f"{peer}.conf").read_text())
        conf = directory / "nginx.conf"
        conf.write_text(NGINX_CONF.format(
            modules="\n".join(f'load_module "{module}";' for module in modules),
            user="user root;" if os.getuid() == 0 else "", files=self.files, peer=text,
            connections=2 * self.files))  # when few are left, nginx closes connections that have not sent a request yet
        environment, gap = {}, None
        if watch_gap:
            path = directory / "gap"
            path.write_bytes(bytes(16))
            with path.open("r+b") as file:
                gap = mmap.mmap(file.fileno(), 16)
            environment = {"LD_PRELOAD": str(BUILD / "gap.so"), "GAP_FILE": str(path)}
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        process = self.start(f"nginx-{name}", [program, "-p", f"{directory}/", "-c", str(conf), "-e", "error.log"],
                             {self.gateway_cpu}, environment)
        self.wait_until(lambda: answers(port), f"nginx-{name}", process)
        return Gateway(process, port, gap)

    def end_gateway(self, gateway):
        self.stop(gateway.process)

    def load(self, mode, **settings):
        """Runs the load generator; returns the numbers it prints."""
        command = [BUILD / "load", mode, *(f"{name}={value}" for name, value in settings.items())]
        process = self.start("load", command, self.other_cpus, stdout=subprocess.PIPE, text=True)
        output, _ = process.communicate()
        self.processes.remove(process)
        if process.returncode != 0:
            raise Failure(f"load {mode} {settings}:\n" + (self.directory / "load.log").read_text()[-2000:])
        return [int(number) for number in output.split()]

    def hold(self, **settings):
        """Opens connections; returns what holds them, to be given to release()."""
        command = [BUILD / "load", "hold", *(f"{name}={value}" for name, value in settings.items())]
        process = self.start("load", command, self.other_cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if process.stdout.readline().strip() != "open":
            raise Failure("load hold:\n" + (self.directory / "load.log").read_text()[-2000:])
        return process

    def release(self, holder):
        holder.stdin.close()
        holder.wait()
        self.processes.remove(holder)


def read_gap(gap):
    """The longest absence from epoll_wait(), in seconds: of time, and of CPU."""
    wall, cpu = struct.unpack("QQ", gap[:16])
    return wall / 1e9, cpu / 1e9


def clear_gap(gap):
    gap[:16] = bytes(16)
