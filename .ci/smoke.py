"""Log in over HTTP, generate, download, verify: what a newcomer does, without a browser."""

import json
import re
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

base, passwords = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
jar = CookieJar()
browser = build_opener(HTTPCookieProcessor(jar))


def csrf() -> str:
    return next(cookie.value or "" for cookie in jar if cookie.name == "csrftoken")


def call(method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
    request = Request(base + path, data=body, method=method)
    for name, value in {"Referer": base + "/", "X-CSRFToken": csrf(), **headers}.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        return bytes(browser.open(request, timeout=60).read())
    except HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read()[:400]!r}")


browser.open(base + "/accounts/login/").read()
form = {"login": "alice", "password": passwords["alice"], "csrfmiddlewaretoken": csrf()}
page = call("POST", "/accounts/login/", urlencode(form).encode())
assert b"alice" in page, "the page after the login does not greet alice"

order = {"prompt": "a red apple", "seed": 7}
answer = json.loads(
    call(
        "POST", "/api/v1/generations/", json.dumps(order).encode(), Content_Type="application/json"
    )
)
deadline = time.monotonic() + 240
while answer["status"] in {"submitted", "queued", "running"} and time.monotonic() < deadline:
    time.sleep(0.5)
    answer = json.loads(call("GET", f"/api/v1/generations/{answer['id']}/"))
assert answer["status"] == "finished", answer
image = answer["images"][0]
assert image["status"] == "released", image
data = call("GET", re.sub(r"^https?://[^/]+", "", image["file_url"]))
assert data.startswith(b"\x89PNG"), data[:40]

boundary = "proofsheet-smoke"
part = (
    f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
    "Content-Type: image/png\r\n\r\n"
).encode()
verdict: dict[str, dict[str, str]] = {}
for _ in range(20):
    verdict = json.loads(
        call(
            "POST",
            "/api/v1/verify/",
            part + data + f"\r\n--{boundary}--\r\n".encode(),
            Content_Type=f"multipart/form-data; boundary={boundary}",
        )
    )
    if verdict["log"]["verdict"] == "found_good":
        break
    time.sleep(0.5)
print(json.dumps(verdict, indent=1))
for mark in ("manifest", "signer", "log", "watermark"):
    assert verdict[mark]["verdict"] == "found_good", mark
