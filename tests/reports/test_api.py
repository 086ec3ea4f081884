"""Connections, the state of the database, the page's files."""

import sqlite3

import pytest
from asking import ask

from smartshopie_db import Error, SmartShopieDB


def test_keys_are_never_shown(db):
    for kind, key in (
        ("products", "sk_live_0123456789"), ("customers", "short"), ("orders", None),
    ):  # fmt: skip
        db.add_api_configuration(
            api_type=kind, api_name=kind, api_url="https://api.example.com", api_key=key
        )
    found = ask(db, "config")["data"]
    assert [row["api_type"] for row in found] == ["customers", "orders", "products"]
    assert [row["api_key"] for row in found] == ["...rt", None, "...6789"]
    assert len(found[0]) == 10
    assert "0123456" not in repr(found)


def test_of_several_configurations_the_newest_counts(tmp_path):
    import layouts

    file = layouts.build(tmp_path / "old.db", "oldest")
    plain = sqlite3.connect(file)
    plain.execute("DELETE FROM api_configurations")
    for name in ("first", "second"):
        plain.execute(
            "INSERT INTO api_configurations (api_type, api_name, api_url)"
            " VALUES ('orders', ?, '')",
            (name,),
        )
    plain.commit()
    plain.close()
    with SmartShopieDB(file, mode="ro") as db:
        (row,) = ask(db, "config")["data"]
        assert row["api_name"] == "second"


def test_health_reads_the_file(demo):
    found = ask(demo, "health")
    assert (found["status"], found["database"]) == ("healthy", "connected")
    assert found["data"]["layout"] == "current" and not found["data"]["read_only"]
    assert found["data"]["newest_kpis"] == demo.get_overview_kpis().record_date


def test_health_of_a_broken_file_is_an_error(demo, tmp_path):
    file = demo.db_path
    demo.close()
    with open(file, "r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * 400_000)
    with pytest.raises(Error), SmartShopieDB(file, mode="ro") as db:
        ask(db, "health", as_of="2025-01-01")


def test_assets_are_those_that_are_served(db):
    found = ask(db, "test-assets", assets={"dashboard.js", "a.css"})
    assert found == {
        "static_dir_exists": True, "files": ["a.css", "dashboard.js"],
        "dashboard_css_exists": False, "dashboard_js_exists": True,
    }  # fmt: skip
    nothing = ask(db, "test-assets")
    assert nothing["files"] == [] and nothing["static_dir_exists"] is False
