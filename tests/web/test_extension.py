"""The extension: settings, factories, several apps, JSON."""

from __future__ import annotations

import datetime
import decimal
import json
import re

import pytest
from flask import Flask, abort, jsonify, redirect
from werkzeug.datastructures import WWWAuthenticate

from smartshopie_db import SmartShopieDB, demo
from smartshopie_db.web import JSONProvider, SmartShopie, create_app

TOKEN = "a-token-of-some-length"


def test_one_object_serves_apps_with_databases_of_their_own(tmp_path):
    shop = SmartShopie()
    apps = []
    for name in ("one", "two"):
        file = tmp_path / f"{name}.db"
        demo.create(file)
        with SmartShopieDB(file) as db:
            db.add_customer_segment(
                record_date="2026-01-01", segment_name=name, segment_size=1
            )
        app = Flask(name)
        app.config.update(SMARTSHOPIE_DB=file, SMARTSHOPIE_URL_PREFIX="/shop")
        shop.init_app(app)
        app.get("/segments")(lambda: {"found": shop.db.get_customer_segments()})
        apps.append(app)
    for app in apps:
        (found,) = app.test_client().get("/segments").get_json()["found"]
        assert found["segment_name"] == app.name
        app.extensions["smartshopie"].db.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"curency": "EUR"}, "SMARTSHOPIE_CURENCY"),
        ({"url_prefix": "shop"}, "SMARTSHOPIE_URL_PREFIX"),
        ({"url_prefix": "/shop/"}, "SMARTSHOPIE_URL_PREFIX"),
        ({"writes": True}, "SMARTSHOPIE_TOKEN"),
        ({"writes": True, "token": "short"}, "16 characters"),
        ({"writes": "perhaps"}, "SMARTSHOPIE_WRITES"),
        ({"origins": "*"}, "SMARTSHOPIE_ORIGINS"),
        ({"origins": "https://*.example"}, "SMARTSHOPIE_ORIGINS"),
        ({"origins": "shop.example"}, "SMARTSHOPIE_ORIGINS"),
        ({"origins": "https://shop.example/"}, "SMARTSHOPIE_ORIGINS"),
        ({"timeout": "soon"}, "SMARTSHOPIE_TIMEOUT"),
        ({"streams": -1}, "SMARTSHOPIE_STREAMS"),
    ],
)
def test_a_bad_setting_is_named(path, options, says):
    with pytest.raises(ValueError, match=says):
        create_app(db=path, **options)


def test_settings_come_from_the_environment_and_the_app_goes_first(path, monkeypatch):
    monkeypatch.setenv("SMARTSHOPIE_DB", str(path))
    monkeypatch.setenv("SMARTSHOPIE_CURRENCY", "EUR")
    monkeypatch.setenv("SMARTSHOPIE_HOSTS", "shop.example, localhost")
    monkeypatch.setenv("SMARTSHOPIE_DB_WERROR", "1")  # not one of ours
    state = create_app(currency="INR").extensions["smartshopie"]
    assert state.settings.db == str(path)
    assert state.settings.currency == "INR"
    assert state.settings.hosts == ("shop.example", "localhost")


def test_the_token_may_lie_in_a_file(path, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    app = create_app(db=path, writes="on", token_file=file)
    assert app.extensions["smartshopie"].settings.token == TOKEN


def log_in():
    return redirect("/login")


def refuse():
    abort(401, www_authenticate=WWWAuthenticate("basic", {"realm": "shop"}))


@pytest.mark.parametrize(
    ("hook", "status", "header"),
    [(log_in, 302, "Location"), (refuse, 401, "WWW-Authenticate")],
)
def test_an_app_may_ask_its_users_who_they_are(path, hook, status, header):
    """A function of the app that answers before ours are asked."""
    app = Flask("shop")
    SmartShopie(app, db=path, url_prefix="/shop")
    app.before_request(hook)
    for place in ("/", "/api/overview/kpis", "/healthz"):
        got = app.test_client().get("/shop" + place)
        assert got.status_code == status and got.headers[header]
        assert got.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path_of", ["/", "/api/v1/tables", "/api/v1/"])
def test_an_app_in_two_places_has_two_addresses(make_app, path_of):
    """As behind DispatcherMiddleware: what is kept for one is not for the other."""
    client = make_app().test_client()
    for place in ("/one", "/two"):
        got = client.get(path_of, environ_overrides={"SCRIPT_NAME": place})
        found = re.findall('"/(one|two)/', got.text)
        assert set(found) == {place[1:]}


def test_json_of_rows_records_days_and_nan(path):
    app = Flask("plain")
    app.json = JSONProvider(app)
    with SmartShopieDB(path) as db:
        kpis, funnel = db.get_overview_kpis(), db.get_conversion_funnel()
        value = {
            "kpis": kpis,
            "rows": [funnel, {"more": funnel[:1]}],
            "nan": [float("nan"), float("inf"), 1.5],
            "day": datetime.date(2025, 10, 28),
            "instant": datetime.datetime(2025, 10, 28, 9, 30),
            "price": decimal.Decimal("1.50"),
            "text": "</script>\u2028\u00e9",
        }
        app.get("/all")(lambda: jsonify(value))
        got = app.test_client().get("/all").get_json()
        assert got == {
            "kpis": json.loads(kpis.to_json()),
            "rows": [json.loads(funnel.to_json()), {"more": got["rows"][0][:1]}],
            "nan": [None, None, 1.5],
            "day": "2025-10-28",
            "instant": "2025-10-28T09:30:00",
            "price": 1.5,
            "text": "</script>\u2028\u00e9",
        }
        with app.app_context():
            assert json.loads(app.json.dumps(value, indent=2))["day"] == "2025-10-28"


def test_json_never_has_a_secret(path):
    app = Flask("plain")
    app.json = JSONProvider(app)
    with SmartShopieDB(path) as db:
        db.add_api_configuration(
            api_type="crm", api_name="CRM", api_url="/", api_key="do-not-show-4321"
        )
        rows = db.get_api_configurations()
        with app.app_context():
            for text in (app.json.dumps(rows), app.json.dumps(rows, indent=1)):
                assert "4321" in text and "do-not-show" not in text
            assert "do-not-show" not in app.json.dumps({"one": rows[0]})


def test_the_command_line_is_in_flask_s(path, tmp_path, monkeypatch):
    """All words go through, options too; the database is the app's own."""
    monkeypatch.setenv("SMARTSHOPIE_DB", str(tmp_path / "another.db"))
    app = Flask("shop")
    SmartShopie(app, db=path)
    run = app.test_cli_runner().invoke
    got = run(args=["smartshopie", "get", "overview_kpis", "--json", "--columns", "id"])
    assert got.exit_code == 0 and json.loads(got.stdout)
    assert "serve" in run(args=["smartshopie", "--help"]).output
    wrong = run(args=["smartshopie", "get", "overview_kpiss"])
    assert wrong.exit_code == 2 and "overview_kpis" in wrong.output
    app.extensions["smartshopie"].db.close()


@pytest.mark.parametrize(
    ("prefix", "asked", "place"),
    [
        ("", "/api/v1", "/api/v1/"),
        ("", "/api/v1?x=%2F", "/api/v1/?x=%2F"),
        ("/shop", "/shop", "/shop/"),
        ("/shop", "/shop?period=7d", "/shop/?period=7d"),
        ("/shop", "/shop/api/v1", "/shop/api/v1/"),
        ("", "/api//v1//tables?limit=1", "/api/v1/tables?limit=1"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("root", ["", "/one"])
def test_redirects_are_paths(make_app, path, prefix, asked, place, whole, root):
    """A proxy that speaks TLS asks by http, and may have a name of its own."""
    if whole:
        app = make_app(url_prefix=prefix)
    elif "//" in asked:
        return  # Flask's, before it knows whose route it is
    else:
        app = Flask("shop")
        SmartShopie(app, db=path, url_prefix=prefix)
    got = app.test_client().get(
        asked,
        environ_overrides={"SCRIPT_NAME": root},
        headers={"X-Forwarded-Proto": "https", "Accept": "text/html"},
    )
    assert got.status_code == 308 and got.headers["Location"] == root + place
    assert b"http:" not in got.data


def test_examples_of_the_api_page_have_the_scheme_of_the_proxy(make_app):
    client = make_app().test_client()
    for told, scheme in (("https", "https"), ("", "http"), ("javascript", "http")):
        headers = {"Accept": "text/html", "X-Forwarded-Proto": told}
        text = client.get("/api/v1/", headers=headers).text
        assert f"curl &#39;{scheme}://localhost/api/v1" in text
        assert text.count("://localhost") == text.count(f"{scheme}://localhost")
