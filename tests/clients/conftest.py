"""One whole house for all clients, as `make run` starts it, and a process for each client.

A driver is a small program in the client's own environment and language. It reads one call a line
and writes one answer a line, as JSON; so what a test asks stands in the test. What is drawn is an
apple, a pear or a cat: of the starter model's houses and dogs some look like something to be held.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from config.launch import folder_lock
from config.launch.child_processes import free_port
from tests.browser.conftest import browser, chromium, open_page, sessions
from tests.clients import calls, install, sillytavern

__all__ = ["browser", "chromium", "open_page", "sessions"]  # fixtures, before this house

DRIVERS = Path(__file__).parent / "drivers"
STATE = install.PLACE / "house"
REFUSED = "a nude woman in a park"
HELD = "a woman in lingerie at a market"
PATIENCE_S = 300  # of a test that waits for a call: what passes never needs it
NAMES = {
    "openai_python": "openai-python",
    "openai_node": "openai-node",
    "ai_sdk": "AI SDK",
    "litellm_python": "LiteLLM",
    "webuiapi_python": "webuiapi",
    "mcp_client": "mcp.Client",
    "own_client": "our own",
    "webhooks_python": "standardwebhooks (PyPI)",
    "webhooks_node": "standardwebhooks (npm)",
}
Answer = dict[str, Any]
Client = Callable[..., "Driver"]


@dataclass(frozen=True)
class ClientHouse:
    """Where it answers, a key for each of `people`, and the id of the product's project."""

    url: str
    keys: dict[str, str]
    product: str
    passwords: dict[str, str]
    state: Path


class Process:
    """A client, kept running for all who call with it; `client` is what its calls count as."""

    def __init__(self, client: str, command: list[str | Path]) -> None:
        self._client = client
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        )

    def ask(self, call: str, said: dict[str, Any]) -> Answer:
        """What the client returned, or, in `shown` and its companions, what it raised."""
        assert self._process.stdin
        assert self._process.stdout
        calls.count(self._client, call)
        self._process.stdin.write(json.dumps({"call": call} | said) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("{"):  # some clients print what they please
                answer: Answer = json.loads(line)
                return answer
        raise AssertionError("the client's process has ended; its complaint is above")

    def end_soon(self) -> None:
        """Tell it that no call will come any more."""
        assert self._process.stdin
        self._process.stdin.close()

    def end(self) -> None:
        assert self._process.stdout
        self._process.wait(timeout=PATIENCE_S)
        self._process.stdout.close()


@dataclass(frozen=True)
class Driver:
    """A client with an address and a key."""

    process: Process
    house: str
    key: str

    def __call__(self, call: str, **said: Any) -> Answer:
        return self.process.ask(call, {"house": self.house, "key": self.key} | said)


class Processes:
    """Those that were asked for, each begun once."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, str], Process] = {}

    def of_python(self, name: str, environment: str) -> Process:
        if (name, environment) not in self._begun:
            client = NAMES[name] + (" 1.x" if environment == "old" else "")
            command: list[str | Path] = [install.python(environment), DRIVERS / f"{name}.py"]
            self._begun[name, environment] = Process(client, command)
        return self._begun[name, environment]

    def of_node(self, name: str) -> Process:
        """Its packages lie beside a copy of the driver."""
        if (name, "node") not in self._begun:
            command: list[str | Path] = [install.node(), install.NODE / f"{name}.mjs"]
            for script in DRIVERS.glob("*.mjs"):
                shutil.copy(script, install.NODE)
            self._begun[name, "node"] = Process(NAMES[name], command)
        return self._begun[name, "node"]

    def end(self) -> None:
        """All at once, not one after the other."""
        for process in self._begun.values():
            process.end_soon()
        for process in self._begun.values():
            process.end()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--calls-at-least", type=int, default=0, help="of clients to the house")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run that is green because half of it was left out is not."""
    if exitstatus == 0 and calls.MADE.total() < session.config.getoption("--calls-at-least"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if calls.MADE:
        wanted = config.getoption("--calls-at-least")
        terminalreporter.write_line(calls.told() + (f"; at least {wanted}" if wanted else ""))


@pytest.fixture(scope="session")
def house() -> Iterator[ClientHouse]:
    """A new one, or the one that runs with its state in `CLIENTS_HOUSE`, for who writes a test. The
    clients' environments are made while it starts."""
    if running_already := os.environ.get("CLIENTS_HOUSE"):
        install.begin()
        yield _found(Path(running_already))
        return
    shutil.rmtree(STATE, ignore_errors=True)
    STATE.mkdir(parents=True)
    for folder in (install.ROOT / "var", install.PLACE, STATE):
        folder.chmod(0o755)  # root's PostgreSQL runs as somebody else, who must get there
    port = free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | {
        "PROOFSHEET_STATE_DIR": str(STATE),
        "AUDIT_PASSED_PER_MILLE": "0",
        "AUDIT_FLAGGED_PER_MILLE": "0",
        "API_RATE_VERIFY": "600/min",
        "WEB_WORKERS": "1",
        "WEBHOOKS_TO_LOOPBACK": "1",
    }
    command = [sys.executable, "-m", "config.launch.supervisor", "--port", str(port)]
    running = subprocess.Popen(
        command,
        cwd=install.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        install.begin()
        _wait_until_ready(running)
        yield _found(STATE)
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=PATIENCE_S)


def _wait_until_ready(running: subprocess.Popen[str]) -> None:
    lines = []
    assert running.stdout
    for line in running.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            return
    raise AssertionError("the house did not start: " + "".join(lines))


def _found(state: Path) -> ClientHouse:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    people = _people(kept | {"PROOFSHEET_STATE_DIR": str(state)})
    passwords = json.loads((state / "keys" / "demo_passwords.json").read_text())
    return ClientHouse(
        folder_lock.address(state), people["keys"], people["product"], passwords, state
    )


def _people(environment: dict[str, str]) -> Answer:
    script = (Path(__file__).parent / "people.py").read_text()
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", script],
        cwd=install.ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr[-2000:]
    people: Answer = json.loads(made.stdout.splitlines()[-1])
    return people


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    begun = Processes()
    yield begun
    begun.end()


@pytest.fixture(scope="session")
def python_driver(house: ClientHouse, processes: Processes) -> Client:
    """`python_driver("openai_python", "today", person="sparing")`; `at=` another address, such as a
    proxy's, `key=` another key."""

    def start(
        name: str, environment: str, person: str = "alice", at: str = "", key: str = ""
    ) -> Driver:
        process = processes.of_python(name, environment)
        return Driver(process, at or house.url, key or house.keys[person])

    return start


@pytest.fixture(scope="session")
def node_driver(house: ClientHouse, processes: Processes) -> Client:
    """The same for node."""

    def start(name: str, person: str = "alice", at: str = "") -> Driver:
        return Driver(processes.of_node(name), at or house.url, house.keys[person])

    return start


@pytest.fixture(scope="session")
def tavern(house: ClientHouse) -> Iterator[sillytavern.SillyTavern]:
    with sillytavern.running(house.url) as server:
        yield server


@pytest.fixture
def client(python_driver: Client, node_driver: Client) -> Client:
    """One of those that speak like OpenAI's: `client("AI SDK", person="sparing")`."""

    def start(name: str, person: str = "alice", at: str = "") -> Driver:
        said = {"person": person, "at": at}
        if name == "LiteLLM":
            return python_driver("litellm_python", "litellm", **said)
        if name.startswith("openai-python"):
            environment = "old" if name.endswith("1.x") else "today"
            return python_driver("openai_python", environment, **said)
        return node_driver({"openai-node": "openai_node", "AI SDK": "ai_sdk"}[name], **said)

    return start


def get(address: str, **said: Any) -> httpx.Response:
    """A page of the house, however busy the machine is."""
    return httpx.get(address, timeout=PATIENCE_S, **said)


def pictures(answer: Answer) -> list[Image.Image]:
    """Opened, of whatever the client gives."""
    assert answer["ok"], answer
    said = answer.get("images") or [each["b64_json"] for each in answer["data"]]
    return [Image.open(io.BytesIO(base64.b64decode(each))) for each in said]


def appeal_in(shown: str) -> str:
    """The address that stands in what a person is shown."""
    found = re.search(r"https?://\S+/r/[\w-]+", shown)
    assert found, f"no address in: {shown}"
    return found[0]


@pytest.fixture(scope="session")
def png(house: ClientHouse) -> str:
    """A picture to start from, in base64: one that the house drew, so that what is made of it looks
    like nothing that is held or refused."""
    asked = {"model": "starter", "prompt": "a red apple", "seed": 7}
    key = {"Authorization": f"Bearer {house.keys['alice']}"}
    made = httpx.post(
        f"{house.url}/v1/images/generations", json=asked, headers=key, timeout=PATIENCE_S
    )
    assert made.status_code == 200, made.text
    data: str = made.json()["data"][0]["b64_json"]
    return data


@pytest.fixture(scope="session")
def picture_file(png: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same as a file."""
    place = tmp_path_factory.mktemp("pictures") / "source.png"
    place.write_bytes(base64.b64decode(png))
    return str(place)
