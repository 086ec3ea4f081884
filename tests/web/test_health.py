"""/healthz says whether the database can be read; /metrics what was done."""

from __future__ import annotations

import os
import re
import time

import pytest

from smartshopie_db import SmartShopieDB, demo
from smartshopie_db.web import metrics


def test_healthy(client):
    got = client.get("/healthz")
    assert (got.status_code, got.get_json()) == (200, {"status": "ok"})
    assert got.headers["Cache-Control"] == "no-store"
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("opened", [True, False], ids=["opened", "not opened"])
@pytest.mark.parametrize("how", ["gone", "replaced", "emptied", "overwritten"])
def test_not_healthy(make_app, path, tmp_path, how, opened):
    if how == "replaced" and not opened:
        return
    client = make_app().test_client()
    if opened:
        assert client.get("/healthz").status_code == 200
    if how == "gone":
        path.unlink()
    elif how == "replaced":
        demo.create(tmp_path / "other.db")
        os.replace(tmp_path / "other.db", path)
        time.sleep(0.15)  # it is looked for every 100 ms
    elif how == "emptied":
        path.write_bytes(b"")
    else:
        path.write_bytes(os.urandom(path.stat().st_size))
    got = client.get("/healthz")
    if how == "emptied" and not opened:  # an empty file is an empty database
        assert got.status_code == 200
        return
    assert got.status_code == 503
    assert got.get_json()["error"]["code"] == "database_unavailable"
    assert str(path) not in got.text
    assert "smartshopie_database_up 0\n" in client.get("/metrics").text or opened


LINE = re.compile(
    r'# (HELP|TYPE) [a-z_]+ .+|[a-z_]+({([a-z]+="[^"\n]*",?)+})? [0-9.e+-]+'
)


def test_metrics(client):
    client.get("/healthz")
    client.get("/healthz?x=1")
    client.get("/no/such")
    text = client.get("/metrics").text
    for line in text.splitlines():
        assert LINE.fullmatch(line), line
    names = re.findall(r"# TYPE (\S+)", text)
    assert len(names) == len(set(names))
    count = (
        'smartshopie_http_requests_total{route="/healthz",method="GET",status="200"}'
    )
    assert f"{count} 2\n" in text
    assert 'route="(none)",method="GET",status="404"} 1\n' in text
    assert 'seconds_bucket{route="/healthz",le="+Inf"} 2\n' in text
    assert 'seconds_count{route="/healthz"} 2\n' in text
    buckets = re.findall(r'bucket{route="/healthz",le="[^"]+"} (\d+)', text)
    assert len(buckets) == len(metrics.BOUNDS) + 1 and buckets == sorted(buckets)
    assert "smartshopie_event_streams 0\n" in text
    assert "smartshopie_database_up 1\n" in text
    assert re.search(r"smartshopie_database_leases_total \d+\n", text)


def test_nobody_can_make_up_lines(client):
    """Each would stay for as long as the server runs."""
    for i in range(50):
        client.open("/healthz", method=f"X{i}")
    text = client.get("/metrics").text
    assert 'route="(none)",method="(other)",status="405"} 50\n' in text
    assert "X1" not in text


def test_all_figures_of_the_database_are_there(path):
    with SmartShopieDB(path) as db:
        numbers = {
            name
            for name, value in db.stats().items()
            if value is None or (type(value) in (int, float))
        }
    assert numbers == metrics.COUNTERS.keys() | metrics.GAUGES.keys()


def test_metrics_can_be_off(make_app):
    assert make_app(metrics=False).test_client().get("/metrics").status_code == 404
