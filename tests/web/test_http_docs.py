"""docs/http.md: its settings are those there are, and its command lines start."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import command
import pytest
from real_server import EVENTS, Server, read_until, smartshopie
from schema_facts import ROOT

from smartshopie_db import SmartShopieDB, demo
from smartshopie_db.web import settings
from smartshopie_db.web.settings import Settings

TEXT = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")


def block(language, word):
    for found in re.finditer(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S):
        if word in found[1]:
            return found[1]
    raise AssertionError(f"no {language} block with {word}")


def shown(value):
    if value is None or value == "" or value == ():
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def table():
    """The settings as the source has them, with its comments."""
    source = Path(settings.__file__).read_text(encoding="utf-8")
    said = dict(re.findall(r"^    (\w+): .* = .*  # (.*)$", source, re.M))
    lines = ["| setting | unless given | what it is |", "|---|---|---|"]
    for field in fields(Settings):
        default = f" `{shown(field.default)}` ".replace(" `` ", " ")
        name = f"`{settings.PREFIX}{field.name.upper()}`"
        lines.append(f"| {name} |{default}| {said[field.name]} |")
    return "\n".join(lines)


def test_the_settings_are_listed():
    assert table() in TEXT, f"docs/http.md should have:\n{table()}"


def run_of(words, folder, **environment):
    """A server by the program that the words name, and what it is."""
    module = {"gunicorn": "gunicorn", "smartshopie": "smartshopie_db"}
    words = [sys.executable, "-m", module[Path(words[0]).name], *words[1:]]
    return Server(*words, cwd=folder, env=command.environment(**environment))


@pytest.mark.parametrize("what", ["serve", "gunicorn", "systemd", "container"])
def test_what_starts_a_server_does(tmp_path, what):
    environment, words = {}, []
    if what == "serve":
        words = shlex.split(block("sh", "serve --demo").splitlines()[-1])
        words += ["--port", "0"]
    elif what == "gunicorn":
        export, line = block("sh", "gunicorn").splitlines()
        environment = dict(word.split("=") for word in export.split()[1:])
        words = shlex.split(line.replace("127.0.0.1:5001", "127.0.0.1:0"))
        demo.create(tmp_path / environment["SMARTSHOPIE_DB"])
    elif what == "systemd":
        line = re.search("^ExecStart=(.*)$", block("ini", "ExecStart"), re.M)[1]
        demo.create(tmp_path / "dashboard.db")
        words = shlex.split(line.replace("/var/lib/shop/", f"{tmp_path}{os.sep}"))
        words += ["--port", "0"]
    else:
        words = eval(re.search("^CMD (.*)$", block("dockerfile", "CMD"), re.M)[1])
        words += ["--port", "0"]
    server = run_of(words, tmp_path, **environment)
    try:
        assert server.get("/healthz")[0] == 200
        host = "shop.example" if what == "systemd" else "localhost"
        assert server.get("/", Host=host)[0] == 200
        assert server.stop()[0] == 0
    finally:
        server.end()


def test_the_app_of_the_docs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo.create("smartshopie_dashboard.db")
    names = {"__name__": "docs"}
    exec(compile(block("python", "init_app"), "docs/http.md", "exec"), names)
    app = names["create_app"]()
    assert app.test_client().get("/shop/healthz").status_code == 200
    app.extensions["smartshopie"].db.close()


NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@pytest.mark.skipif(not NGINX, reason="nginx is not installed")
def test_events_come_through_nginx(tmp_path):
    """By the example, apart from its ports."""
    path = tmp_path / "shop.db"
    demo.create(path)
    server = smartshopie(path, "--allow-host", "shop.example")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    example = block("nginx", "proxy_pass").replace("listen 80", f"listen {port}")
    example = example.replace("127.0.0.1:5001", f"127.0.0.1:{server.port}")
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; error_log stderr; pid {tmp_path}/pid; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/body;"
        f" proxy_temp_path {tmp_path}/proxy; {example} }}\n"
    )
    words = [NGINX, "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    nginx = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        with connected(port) as client:
            client.sendall(EVENTS.replace(b"localhost", b"shop.example"))
            assert b" 200 " in read_until(client, b"id: ")
            with SmartShopieDB(path) as db:
                db.add_overview_kpis(record_date="2025-10-28", total_customers=7)
            assert b"changed" in read_until(client, b"event: changed", 2)
    finally:
        nginx.terminate()
        nginx.wait()
        server.end()


def connected(port):
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.02)
