"""Our own client and its command line, installed as a product would install them."""

from __future__ import annotations

import base64
import io
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from tests.clients import install
from tests.clients.conftest import REFUSED, ClientHouse, Driver, get
from tests.clients.signing import signed

pytestmark = pytest.mark.clients


@pytest.fixture
def client(python_driver: Callable[..., Driver]) -> Driver:
    return python_driver("own_client", "own")


def test_a_picture_is_saved_as_the_house_signed_it(client: Driver, tmp_path: Path) -> None:
    made = client("generate_and_save", prompt="a red apple", seed=7, path=str(tmp_path / "a.png"))
    assert made["status"] == "finished", made
    data = (tmp_path / "a.png").read_bytes()
    report = client("verify", data=base64.b64encode(data).decode())
    assert report["is_ours"]
    assert report["verdicts"]["manifest"] == report["verdicts"]["watermark"] == "found_good"


def test_the_path_chooses_the_format(client: Driver, tmp_path: Path) -> None:
    client("generate_and_save", prompt="a red apple", seed=7, path=str(tmp_path / "a.jpg"))
    assert Image.open(tmp_path / "a.jpg").format == "JPEG"


def test_it_starts_from_a_picture(client: Driver, picture_file: str) -> None:
    made = client("generate", prompt="a red apple", picture=picture_file, strength=0.5)
    assert made["images"][0]["source"]["strength"] == 0.5


def test_it_paints_what_is_white_in_a_mask(client: Driver, png: str) -> None:
    mask = Image.new("L", (512, 512))
    mask.paste(255, (0, 0, 512, 256))
    out = io.BytesIO()
    mask.save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode()
    made = client("paint", prompt="a green pear", picture=png, mask=data)
    assert made["status"] == "finished", made
    assert made["images"][0]["source"]["mask"]


def test_an_upload_goes_with_adapters(client: Driver, picture_file: str) -> None:
    worn = [{"slug": "no-such", "weight": 0.5}]
    told = client("generate", prompt="a red apple", picture=picture_file, adapters=worn)
    assert told["code"] == "adapter_not_usable", told


def test_each_change_is_told(client: Driver) -> None:
    states = client("stream", prompt="a cat", steps=4)["states"]
    assert states[0] == "submitted"
    assert states[-1] == "finished"


def test_one_key_makes_one_request(client: Driver) -> None:
    one, two = client("twice", prompt="a cat", idempotency_key="of the test")["ids"]
    assert one == two


def test_a_batch_goes_on_after_a_refusal(client: Driver) -> None:
    made = client("batch", prompts=["a cat", REFUSED, "a cat"])["made"]
    assert [each["problem"] for each in made] == [None, "Refused", None]


def test_models_are_listed(client: Driver) -> None:
    assert client("models")["slugs"]


def test_a_refusal_says_why_and_can_be_contested(client: Driver, house: ClientHouse) -> None:
    told = client("generate", prompt=REFUSED)
    assert told["kind"] == "Refused"
    assert told["appeal_url"] in told["shown"]
    assert told["appeal_url"].startswith(house.url)
    assert told["statement_url"] in told["shown"]
    assert get(told["appeal_url"], follow_redirects=True).status_code == 200


def test_an_appeal_is_lodged_from_the_error(client: Driver) -> None:
    told = client("appeal_after_refusal", prompt=REFUSED, grounds="It is a painting in a museum.")
    assert told["statement"]["category"]
    assert told["appeal"]["status"] == "lodged"
    assert told["appeal"]["grounds"] == "It is a painting in a museum."


@pytest.mark.parametrize(
    ("said", "kind", "part"),
    [
        ({"prompt": ""}, "Invalid", "The prompt is empty."),
        ({"prompt": "a cat", "width": 17, "height": 17}, "Invalid", "Choose one of"),
        ({"prompt": "a cat", "count": 11}, "Invalid", "one to four images"),
        ({"prompt": "a cat", "modle": "x"}, "Invalid", "modle"),
        ({"prompt": "x" * 33_000}, "Invalid", "Shorten it"),
    ],
)
def test_what_cannot_be_done_is_named(
    client: Driver, said: dict[str, object], kind: str, part: str
) -> None:
    told = client("generate", **said)
    assert told["kind"] == kind
    assert part in told["shown"]


def test_a_used_up_quota_is_told_at_once(python_driver: Callable[..., Driver]) -> None:
    sparing = python_driver("own_client", "own", person="sparing")
    assert sparing("generate", prompt="a cat", steps=4)["ok"]
    told = sparing("generate", prompt="a cat", steps=4)
    assert told["kind"] == "TooMany"
    assert told["code"] == "quota_used_up"
    assert told["retry_after_s"] > 60


def test_a_revoked_key_is_told(python_driver: Callable[..., Driver]) -> None:
    told = python_driver("own_client", "own", person="gone")("generate", prompt="a cat")
    assert told["kind"] == "NotAllowed"
    assert "revoked" in told["shown"]


def test_a_house_that_is_away_is_told(client: Driver) -> None:
    told = client("nobody", prompt="a cat")
    assert (told["kind"], told["code"]) == ("Unavailable", "not_connected")


def test_a_webhook_is_checked_as_its_standard_says(client: Driver) -> None:
    body = '{"type":"generation.refused","timestamp":"2026-11-29T12:00:00Z","data":{"id":"x"}}'
    secret, headers = signed(body, at=datetime.now(UTC))
    told = client("webhook", body=body, headers=headers, secret=secret)
    assert (told["type"], told["data"]) == ("generation.refused", {"id": "x"})
    other = client("webhook", body=body + " ", headers=headers, secret=secret)
    assert (other["kind"], other["code"]) == ("WebhookRejected", "webhook_unsigned")
    _, old = signed(body, at=datetime(2026, 1, 1, tzinfo=UTC), secret=secret)
    late = client("webhook", body=body, headers=old, secret=secret)
    assert (late["kind"], late["code"]) == ("WebhookRejected", "webhook_old")


def command(house: ClientHouse, *words: str) -> subprocess.CompletedProcess[str]:
    program = install.python("own").with_name("proofsheet")
    environment = {"PROOFSHEET_URL": house.url, "PROOFSHEET_KEY": house.keys["alice"]}
    return subprocess.run([program, *words], env=environment, capture_output=True, text=True)


def test_the_command_line_makes_a_picture_and_proves_it(house: ClientHouse, tmp_path: Path) -> None:
    place = str(tmp_path / "dog.png")
    made = command(house, "generate", "a cat", "-o", place, "--seed", "3")
    assert (made.returncode, made.stdout.strip()) == (0, place), made.stderr
    proved = command(house, "verify", place)
    assert proved.returncode == 0
    assert "watermark    found good" in proved.stdout
    Image.new("RGB", (300, 300), "red").save(tmp_path / "other.png")
    assert command(house, "verify", str(tmp_path / "other.png")).returncode == 4


def test_the_command_line_contests_a_refusal(house: ClientHouse, tmp_path: Path) -> None:
    refused = command(house, "generate", REFUSED, "-o", str(tmp_path / "no.png"))
    assert refused.returncode == 3
    address = refused.stderr.split("proofsheet appeal ")[1].split()[0]
    statement = json.loads(command(house, "statement", address).stdout)
    assert statement["appeal_until"]
    appealed = command(house, "appeal", address, "It is a statue.")
    assert appealed.returncode == 0, appealed.stderr
    assert "is lodged" in appealed.stdout


def test_the_command_line_explains_itself(house: ClientHouse) -> None:
    told = command(house, "--help")
    assert told.returncode == 0
    assert "PROOFSHEET_KEY" in told.stdout
    assert command(house, "dance").returncode == 2
