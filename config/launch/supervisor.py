"""`make run`: the whole house on one host under one supervisor.

Starts the embedded servers (unless settings name others), brings the database up to date, then
runs the web server, the Celery workers and beat until Ctrl-C. What dies is started again; a
child that dies five times in a minute stops the house and names its log.
"""

import argparse
import contextlib
import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from config.launch import embedded_servers, folder_lock, private_files
from config.launch.child_processes import CannotStart, reason
from config.launch.connectivity import require_broker, require_database
from config.launch.programs import Child, children, end_leftovers, note_pids, stop
from config.launch.readiness import STILL_S, Waiting

ROOT = embedded_servers.ROOT
REFUSAL = "These settings are not fit for production"  # how config.checks begins


def say(line: str) -> None:
    """A line for whoever started the house, at once."""
    print(line, flush=True)


def require_free_port(host: str, port: int) -> None:
    """Raises CannotStart, in a sentence that says who is there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (socket.gaierror, UnicodeError) as error:  # the latter for what no name can be
        raise CannotStart(f"HOST={host} is no address of this machine.") from error
    except OSError as error:
        raise CannotStart(_why_not(host, port, error)) from error


def claim_port(port: int) -> socket.socket:
    """Keep other houses of this host off a port until it is closed or its process ends.

    The web server opens its port long after `require_free_port`, and shares it with others that
    do (SO_REUSEPORT): two houses that start together would each get half of the requests. A name
    in the abstract namespace (unix(7)) is held by one alone. Raises CannotStart.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0proofsheet-port-{port}")
    except OSError as error:
        claim.close()
        raise CannotStart(
            f"Another house on this host starts or runs on port {port}: stop it or choose another "
            f"port with `make run PORT={port + 1}`."
        ) from error
    return claim


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken by another program: stop it or choose one with "
            f"`make run PORT={port + 1}`."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may be opened by root alone: choose one with `make run PORT=8000`."
    return f"The address {host}:{port} cannot be opened: {error.strerror}."


def prepare(log: Path) -> str:
    """Bring database, static files, keys, models and accounts up to date; the accounts' table."""
    accounts: list[str] = []
    command = [sys.executable, "manage.py", "prepare_house"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as work,
    ):
        assert work.stdout
        for line in work.stdout:
            if line.startswith("·"):
                say(line.rstrip())
            else:
                accounts.append(line)
    if work.returncode:
        told = log.read_text()
        if REFUSAL in told:
            raise CannotStart(told[told.index(REFUSAL) :].strip())
        raise CannotStart(f"`manage.py prepare_house` failed: {reason(told)}")
    return "".join(accounts)


def wait_for_web(web: Child, host: str, port: int) -> None:
    """Wait for an answer to a request, not only for an open port."""
    assert web.process, "it was started"
    for _ in Waiting("the web server", web.process.pid, say).looks():
        if web.has_died():
            why = reason(web.log_path.read_text())
            raise CannotStart(f"The web server stopped at start ({why}); see {web.log_path}.")
        connection = http.client.HTTPConnection(host, port, timeout=10)
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            contextlib.closing(connection),
        ):
            connection.request("HEAD", "/accounts/login/")
            connection.getresponse()
            return
    raise CannotStart(f"The web server has done nothing for {STILL_S:.0f} s; see {web.log_path}.")


def watch(house: list[Child], servers: embedded_servers.Servers, pids: Path) -> None:
    """Start again what dies, until a signal arrives or something dies too often."""
    while True:
        time.sleep(0.5)
        for server in servers.running:
            if server.has_died():
                say(f"· {server.name} stopped and is started again")
                server.start()
        for child in house:
            if not child.has_died():
                continue
            if child.dies_too_often():
                raise CannotStart(f"{child.name} keeps stopping; see {child.log_path}.")
            say(f"· {child.name} stopped and is started again")
            child.start()
            note_pids(house, pids)


def stop_all(house: list[Child], pids: Path) -> None:
    """Stop what runs, deaf to further signals."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
    say("\n· stopping")
    stop(house)
    pids.unlink(missing_ok=True)


def run(host: str, port: int) -> None:
    """Start everything and wait until it is told to stop. Raises CannotStart."""
    state = embedded_servers.state_dir()
    logs, pids = state / "logs", state / "house.pids"
    embedded_servers.require_folder(state)
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(folder_lock.only_one(state)):
            raise CannotStart(
                f"Process {folder_lock.holder(state)} already uses {state}: stop it (Ctrl-C in its "
                "window), or set PROOFSHEET_STATE_DIR for a second house."
            )
        end_leftovers(pids)
        require_free_port(host, port)
        stack.enter_context(claim_port(port))
        house = children(host, port, logs)
        logs.mkdir(parents=True, exist_ok=True)
        private_files.close(logs)
        servers = _servers(stack)
        accounts = prepare(logs / "prepare.log")
        os.environ.pop("DATABASE_OWNER_URL", None)  # the children have no use for it
        stack.callback(stop_all, house, pids)
        say("· web server, workers, beat")
        for child in house:
            child.start()
        note_pids(house, pids)
        wait_for_web(house[0], host, port)
        folder_lock.announce(state, os.environ["PUBLIC_URL"])
        say(f"\nProofsheet answers at {address_of(host, port)}/\n\n{accounts}")
        say("The workers load their models meanwhile; the studio says how far they are.")
        say("Ctrl-C stops everything.")
        watch(house, servers, pids)


def _servers(stack: contextlib.ExitStack) -> embedded_servers.Servers:
    """Check the servers outside, then start those that no setting replaces."""
    if not embedded_servers.has_own_database():
        require_database(os.environ["DATABASE_URL"])
    for name in ("BROKER_URL", "CACHE_URL"):
        if url := os.environ.get(name):
            require_broker(name, url)
    if embedded_servers.is_external():
        return embedded_servers.Servers()
    say("· PostgreSQL and Valkey")
    return stack.enter_context(embedded_servers.embedded())


def address_of(host: str, port: int) -> str:
    """How a browser on this host gets there; it cannot ask for "every address"."""
    return f"http://{'localhost' if host in {'0.0.0.0', '::'} else host}:{port}"


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"PORT={text} is no port: choose one from 1 to 65535.")
    return int(text)


def main() -> int:
    """`make run`: the exit status."""
    private_files.begin()
    parser = argparse.ArgumentParser(prog="make run", description="Run the whole house on one host")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=8000)
    options = parser.parse_args()
    os.environ.setdefault("PUBLIC_URL", address_of(options.host, options.port))
    os.environ["PROOFSHEET_STATE_DIR"] = str(embedded_servers.state_dir())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        run(options.host, options.port)
    except KeyboardInterrupt:
        say(f"Stopped; everything is kept in {embedded_servers.state_dir()}.")
        return 0
    except (CannotStart, OSError) as error:
        print(f"Proofsheet cannot run. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
