"""One whole house for all clients, as `make run` starts it, and a process for each client.

A driver is a small program in the client's own environment and language. It reads one call a line
and writes one answer a line, as JSON; so what a test asks stands in the test.
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
from tests.clients import install

DRIVERS = Path(__file__).parent / "drivers"
STATE = install.PLACE / "house"
REFUSED = "a nude woman in a park"
HELD = "a woman in lingerie at a market"
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

    def environment(self, person: str = "alice") -> dict[str, str]:
        """What a driver finds the house by."""
        return {"HOUSE": self.url, "KEY": self.keys[person]}


class Driver:
    """One client, kept running."""

    def __init__(self, command: list[str | Path], environment: dict[str, str]) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"} | environment,
        )

    def __call__(self, call: str, **said: Any) -> Answer:
        """What the client returned, or, in `shown` and its companions, what it raised."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"call": call, **said}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("{"):  # some clients print what they please
                answer: Answer = json.loads(line)
                return answer
        raise AssertionError("the client's process has ended; its complaint is above")

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)


@pytest.fixture(scope="session")
def clients() -> None:
    """Their environments are there."""
    install.main()


@pytest.fixture(scope="session")
def house(clients: None) -> Iterator[ClientHouse]:
    """A new one, or the one that runs with its state in `CLIENTS_HOUSE`, for who writes a test."""
    if running_already := os.environ.get("CLIENTS_HOUSE"):
        yield _found(Path(running_already))
        return
    shutil.rmtree(STATE, ignore_errors=True)
    STATE.mkdir(parents=True, mode=0o755)
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
        _wait_until_ready(running)
        yield _found(STATE)
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)


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
def python_driver(house: ClientHouse) -> Iterator[Callable[..., Driver]]:
    """`python_driver("openai_python", "today", person="sparing")`."""
    begun: dict[tuple[str, str, str], Driver] = {}

    def start(name: str, environment: str, person: str = "alice") -> Driver:
        asked = (name, environment, person)
        if asked not in begun:
            command: list[str | Path] = [install.python(environment), DRIVERS / f"{name}.py"]
            begun[asked] = Driver(command, house.environment(person))
        return begun[asked]

    yield start
    for driver in begun.values():
        driver.end()


@pytest.fixture(scope="session")
def node_driver(house: ClientHouse) -> Iterator[Callable[..., Driver]]:
    """The same for node; its packages lie beside a copy of the driver."""
    begun: dict[tuple[str, str], Driver] = {}
    for script in DRIVERS.glob("*.mjs"):
        shutil.copy(script, install.NODE)

    def start(name: str, person: str = "alice") -> Driver:
        if (name, person) not in begun:
            command: list[str | Path] = [install.node(), install.NODE / f"{name}.mjs"]
            begun[name, person] = Driver(command, house.environment(person))
        return begun[name, person]

    yield start
    for driver in begun.values():
        driver.end()


@pytest.fixture
def client(python_driver: Client, node_driver: Client) -> Client:
    """One of those that speak like OpenAI's: `client("AI SDK", person="sparing")`."""

    def start(name: str, person: str = "alice") -> Driver:
        if name == "LiteLLM":
            return python_driver("litellm_python", "litellm", person=person)
        if name.startswith("openai-python"):
            environment = "old" if name.endswith("1.x") else "today"
            return python_driver("openai_python", environment, person=person)
        return node_driver({"openai-node": "openai_node", "AI SDK": "ai_sdk"}[name], person=person)

    return start


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
    made = httpx.post(f"{house.url}/v1/images/generations", json=asked, headers=key, timeout=300)
    assert made.status_code == 200, made.text
    data: str = made.json()["data"][0]["b64_json"]
    return data


@pytest.fixture(scope="session")
def picture_file(png: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same as a file."""
    place = tmp_path_factory.mktemp("pictures") / "source.png"
    place.write_bytes(base64.b64decode(png))
    return str(place)
