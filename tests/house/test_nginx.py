"""The documented proxy: it carries the house's own limits, and nginx takes the file."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from config.asgi import bounds
from config.launch.embedded_servers import ROOT
from config.launch.programs import WEB_OPTIONS
from config.web.request_limits import BodyPace

CONF = (ROOT / "docs" / "operate" / "nginx.conf").read_text()


def said(name: str) -> list[str]:
    return [value.strip() for value in re.findall(rf"^\s*{name}\s+([^;]+);", CONF, re.MULTILINE)]


def test_the_proxy_carries_the_limits_of_the_web_processes() -> None:
    headers_ms = int(WEB_OPTIONS[WEB_OPTIONS.index("--http1-header-read-timeout") + 1])
    assert said("client_header_timeout") == [f"{headers_ms // 1000}s"]
    assert said("client_body_timeout") == [f"{BodyPace().idle_s:.0f}s"]
    assert said("send_timeout") == [f"{BodyPace().answer_s:.0f}s"]
    assert said("limit_conn") == [f"connections {settings.PROOFSHEET_REQUESTS_PER_ADDRESS}"]
    sizes = (settings.PROOFSHEET_VERIFY_MAX_BYTES, settings.PROOFSHEET_ADAPTER_MAX_BYTES)
    inline_bytes = bounds.account_at["/v1/images/edits"]
    *files, inline = said("client_max_body_size")
    assert files == [f"{size // 2**20 + 1}m" for size in sizes]
    assert inline == f"{inline_bytes // 2**20 + 1}m"


@pytest.mark.parametrize("path", ["/v1/images/edits", "/sdapi/v1/txt2img", "/mcp"])
def test_addresses_of_foreign_clients_wait_as_long_as_they_do(path: str) -> None:
    """And take a picture as base64, and pass an answer on as it comes."""
    blocks = re.findall(r"location ~ (\S+) \{(.*?)\}", CONF, re.DOTALL)
    [block] = [block for pattern, block in blocks if re.match(pattern, path)]
    for each in ("proxy_read_timeout 660s;", "client_max_body_size 22m;", "proxy_buffering off;"):
        assert each in block


def test_the_proxy_names_the_sender_itself_and_logs_no_query() -> None:
    """What a client claims to have been forwarded for is replaced, not added to."""
    assert "proxy_set_header X-Forwarded-For   $remote_addr;" in CONF
    assert "proxy_set_header X-Request-ID      $request_id;" in CONF
    assert 'proxy_set_header traceparent       "";' in CONF
    [logged] = said("log_format")
    assert "$request_uri" not in logged
    assert '"$request"' not in logged


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not on the PATH")
def test_nginx_takes_the_file(tmp_path: Path) -> None:
    pem = tmp_path / "pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-days", "1",
         "-keyout", pem, "-out", tmp_path / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "mime.types").write_text("types { text/html html; }\n")
    here = CONF.replace("/etc/ssl/proofsheet/fullchain.pem", str(tmp_path / "cert"))
    here = here.replace("/etc/ssl/proofsheet/key.pem", str(pem))
    here = here.replace("/var/log/nginx", str(tmp_path))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)
    here = here.replace("http {", f"http {{\n{places}")
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\n{here}")
    done = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
