"""The dashboard's pages, as the server writes them."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import json
import re
import sqlite3
import time

import layouts
import pytest
from pages import Page

from smartshopie_db import OperationalError, SmartShopieDB, demo
from smartshopie_db.plots import PLOTS
from smartshopie_db.web import create_app
from smartshopie_db.web import page as pages_of_app
from smartshopie_db.web.page import areas, assets, charts, panels, wording

AREAS = tuple(areas.AREAS)
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


def address(area):
    return "/" if area == "overview" else f"/{area}"


@pytest.fixture
def read(client):
    """read("/customers?period=7d"): the page, checked."""

    def get(url, status=200):
        answer = client.get(url, headers=BROWSER)
        assert answer.status_code == status, answer.text[:2000]
        assert answer.content_type == "text/html; charset=utf-8"
        page = Page(answer.text)
        assert page.faults == []
        return page

    return get


def one(path, sql):
    with sqlite3.connect(path) as db:
        return db.execute(sql).fetchone()[0]


# ---- form ----------------------------------------------------------------------------


@pytest.mark.parametrize("area", AREAS)
def test_an_area_is_a_page_of_sound_html(read, area):
    page = read(address(area))
    assert len(page.attributes("h1")) == 1 and len(page.attributes("main")) == 1
    assert areas.AREAS[area].title in page.text
    current = [a for a in page.attributes("a") if a.get("aria-current") == "page"]
    assert [a["id"] for a in current] == [f"nav-{area}"]


def test_a_page_needs_three_files_of_its_own(client, read):
    page = read("/")
    found = [link["href"] for link in page.attributes("link")]
    found += [script["src"] for script in page.attributes("script") if "src" in script]
    found += [s["data-plotly"] for s in page.attributes("script") if "data-plotly" in s]
    found = {url for url in found if not url.startswith("data:")}
    assert len(found) == 3
    for url in found:
        assert url.startswith("/static/")
        got = client.get(url)
        assert got.status_code == 200
        assert got.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert got.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_is_compressed_and_answers_304(client):
    url = f"/static/{assets.version('app.css')}/app.css"
    got = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert got.headers["Content-Encoding"] == "gzip"
    again = client.get(url, headers={"If-None-Match": got.headers["ETag"]})
    assert again.status_code == 304
    assert client.get("/static/0/app.css").headers["Cache-Control"] == "no-cache"
    assert client.get("/static/0/base.html").status_code == 404
    assert client.get("/static/0/../app.js").status_code == 404


def test_the_elements_stand_where_plotly_would_put_styles(read):
    page = read("/")
    ids = {given.get("id"): given for _, given in page.tags}
    assert ids["plotly.js-style-global"]["class"] == "no-inline-styles"
    assert assets.style_ids() and set(assets.style_ids()) <= set(ids)


@pytest.mark.parametrize("area", AREAS)
def test_every_chart_has_a_title_a_table_and_its_numbers(client, read, area):
    page = read(address(area))
    ids = {given.get("id") for _, given in page.tags}
    shown = [plot.name for plot in PLOTS.values() if plot.area == area]
    for name in shown:
        assert f"h-{name}" in ids
        if f"plot-{name}" not in ids:
            continue  # it says why it is empty
        figure = page.blocks[f"data-{name}"]
        assert figure["data"] and "layout" in figure
        assert {f"t-{name}", f"csv-{name}"} <= ids
        for link in page.attributes("a"):
            if link.get("id") == f"csv-{name}":
                got = client.get(link["href"])
                assert got.status_code == 200 and "attachment" in str(got.headers)


def test_links_keep_the_days(read):
    page = read("/?period=90d")
    links = {a["id"]: a["href"] for a in page.attributes("a") if "id" in a}
    assert links["nav-customers"] == "/customers?period=90d"
    assert links["period-7d"] == "/?period=7d"
    assert links["period-30d"] == "/"
    assert links["csv-funnel"] == "/charts/funnel.csv?period=90d"


def test_below_a_prefix_all_links_have_it(make_app):
    client = make_app(url_prefix="/shop").test_client()
    page = Page(client.get("/shop/customers", headers=BROWSER).text)
    assert page.faults == []
    links = [a["href"] for a in page.attributes("a")]
    assert all(url.startswith(("/shop/", "#")) for url in links)


# ---- figures -------------------------------------------------------------------------


def test_the_cards_have_the_figures_of_the_database(path, read):
    page = read("/")
    wanted = [
        one(path, f"SELECT {column} FROM overview_kpis ORDER BY record_date DESC")
        for column in ("total_customers", "conversion_rate", "ai_interactions",
                       "revenue_impact")
    ]  # fmt: skip
    assert page.values()[:4] == wanted
    assert "34,000" in page.text and "10.0%" in page.text


def test_a_card_says_what_became_of_the_figure(tmp_path):
    file = tmp_path / "two.db"
    with SmartShopieDB(file) as db:
        for day, visits, rate in (("2025-01-01", 100, 4.0), ("2025-01-02", 150, 3.5)):
            db.add_overview_kpis(
                record_date=day, ai_interactions=visits, conversion_rate=rate
            )
    app = create_app(db=file)
    page = Page(app.test_client().get("/?period=1d", headers=BROWSER).text)
    assert "up 50.0% better from 100 in 1 Jan 2025" in page.text
    assert "down 0.50 points worse from 4.00% in 1 Jan 2025" in page.text
    assert any(
        given.get("title") == "2 Jan 2025 compared with 1 Jan 2025"
        for _, given in page.tags
    )
    app.extensions["smartshopie"].db.close()


def notes_of(path, area):
    """What stands under the number cards."""
    app = create_app(db=path, currency="EUR")
    html = app.test_client().get(area).get_data(as_text=True)
    app.extensions["smartshopie"].db.close()
    cards = "".join(re.findall(r'<li class="card".*?</li>', html, re.DOTALL))
    return re.findall(r'<p class="note">(.*?)</p>', cards)


def test_a_card_says_on_how_few_days_it_rests(tmp_path, read):
    path = tmp_path / "few.db"
    with SmartShopieDB(path) as db:
        for day in (28, 30):
            db.add_conversion_analytics(
                record_date=f"2025-10-{day}", overall_conversion_rate=23.1
            )
        db.add_revenue_summary(record_date="2025-10-01", total_revenue_impact=50.0)
    assert "stored for 2 of 7 days" in notes_of(path, "/conversions?period=7d")
    whole = notes_of(path, "/conversions?start=2025-10-30&end=2025-10-30")
    assert not re.search(r"stored for \d", " ".join(whole))
    months = notes_of(path, "/revenue")
    assert not re.search(r"stored for \d", " ".join(months))
    assert "Overall conversion rate" in read("/conversions").text


@pytest.mark.parametrize(("by_feature", "said"), [(250.0, True), (999.9, False)])
def test_where_one_revenue_is_stored_as_two_it_is_said(tmp_path, by_feature, said):
    path = tmp_path / "two.db"
    with SmartShopieDB(path) as db:
        for day in (29, 30):
            date = f"2025-10-{day}"
            db.add_overview_kpis(record_date=date, revenue_impact=1000.0)
            db.add_revenue_attribution(
                record_date=date, ai_feature="Chat", revenue_amount=by_feature
            )
    days = "start=2025-10-29&end=2025-10-30"
    whole, parts = notes_of(path, f"/?{days}"), notes_of(path, f"/revenue?{days}")
    text = "its features add up to €500.00, see Revenue"
    assert (text in whole) == said
    text = "of its features; Overview has €2,000.00 for the whole"
    assert (text in parts) == said


def test_the_table_of_a_chart_has_the_numbers_of_the_download(client, read):
    page = read("/")
    got = client.get("/charts/funnel.csv")
    rows = list(csv.reader(io.StringIO(got.text)))
    assert [row[1] for row in rows[1:]] == ["3200", "2080", "1440", "704", "320"]
    numbers = client.get("/charts/funnel.json").json
    assert [row[1] for row in numbers["rows"]] == [3200, 2080, 1440, 704, 320]
    assert numbers["columns"] == rows[0]
    for count in ("3,200", "2,080", "1,440"):
        assert count in page.text


def test_a_currency_is_shown_where_it_is_known(make_app):
    for currency, text in ((None, "22,776.00"), ("EUR", "€22,776.00")):
        client = make_app(currency=currency).test_client()
        page = Page(client.get("/", headers=BROWSER).text)
        assert f" {text} " in page.text


def test_days_without_figures_say_so_and_the_newest_month_is_marked(path, read):
    with sqlite3.connect(path) as db:
        db.execute(
            "INSERT INTO customer_satisfaction (record_date, overall_satisfaction,"
            " product_match_quality, ai_helpfulness) VALUES ('2026-06-01', 4, 4, 4)"
        )
    page = read("/?period=7d")
    assert "not stored for these days; the newest is of 28 Oct 2025" in page.text
    page = read("/revenue?period=7d")
    assert "of October 2025, the newest month" in page.text
    assert 82.0 in page.values()


def test_old_data_is_said_to_be_old(read):
    assert "days old" in read("/").text


def test_the_day_that_was_asked_for_does_not_make_data_old(path, read):
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE overview_kpis SET record_date = ?", (today,))
    page = read("/?as_of=2025-10-20")
    assert "days old" not in page.text
    assert "shown as of 20 Oct 2025" in page.text


def test_data_of_yesterday_is_not(path, read):
    today = datetime.datetime.now(datetime.UTC).date()
    yesterday = (today - datetime.timedelta(days=1)).isoformat()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE overview_kpis SET record_date = ?", (yesterday,))
    assert "days old" not in read("/").text


def test_a_bill_adds_up_its_lines(path, read):
    assert "1,433.95" in read("/billing").text
    with sqlite3.connect(path) as db:
        db.execute("UPDATE billing_summary SET total_estimated = 1.0")
    page = read("/billing")
    assert "1,433.95" in page.text and "The stored total is 1.00" in page.text


def test_keys_are_never_in_a_page(path, client):
    for key in ("demo-key-0001", "secret7"):
        with sqlite3.connect(path) as db:
            db.execute("UPDATE api_configurations SET api_key = ?", (key,))
        for area in AREAS:
            text = client.get(address(area), headers=BROWSER).text
            assert key not in text
            if area == "api":
                assert ("••••0001" in text) == (key == "demo-key-0001")


# ---- files of every kind -------------------------------------------------------------


def whole(file, urls=None):
    """All areas of a file: sound, nothing failed; their texts."""
    app = create_app(db=file)
    client = app.test_client()
    texts = {}
    for area in AREAS:
        answer = client.get(address(area), headers=BROWSER)
        assert answer.status_code == 200, answer.text[:3000]
        page = Page(answer.text)
        assert page.faults == []
        assert "could not be read" not in page.text
        texts[area] = page.text
    app.extensions["smartshopie"].db.close()
    return texts


def test_an_empty_file_says_how_to_fill_it(blank_file):
    texts = whole(blank_file)
    assert "add_usage_alert()" in texts["billing"]
    assert "nothing stored yet" in texts["overview"]
    assert "This database is empty" in texts["overview"]
    assert "db.customer_segments.add(...)" in texts["customers"]


@pytest.mark.parametrize("layout", layouts.LAYOUTS)
def test_files_of_older_layouts_are_shown(tmp_path, layout):
    file = tmp_path / "old.db"
    layouts.build(file, layout)
    whole(file)


def test_a_year_is_shown(tmp_path):
    file = tmp_path / "year.db"
    demo.generate(file, days=400, rows=300)
    texts = whole(file)
    assert "from" in texts["overview"]


def test_a_page_of_one_row_in_each_table(tmp_path, path):
    with sqlite3.connect(path) as db:
        for name in areas_tables(db):
            db.execute(f"DELETE FROM {name} WHERE id <> (SELECT min(id) FROM {name})")
    whole(path)


def areas_tables(db):
    return [
        name
        for (name,) in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
            " AND name NOT LIKE 'sqlite%'"
        )
    ]


PAYLOADS = (
    "<script>hostile()</script>",
    "<img src=x onerror=hostile()>",
    "\"' onmouseover='hostile()' x=\"",
    "</script><svg onload=hostile()>",
    "{{ 7 * 191 }}<!--",
    "javascript:hostile()",
    "]]></textarea></title>\u2028\u2029&lt;b&gt;",
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_of_every_column_stays_text(path, client, payload):
    before = {area: shape(client, area) for area in AREAS}
    fill_text(path, payload)
    found = 0
    for area in AREAS:
        answer = client.get(address(area), headers=BROWSER).text
        page = Page(answer)
        assert page.faults == []
        found += page.text.count("hostile") + page.text.count("{{ 7 * 191 }}")
        found += page.text.count("textarea")
        assert "1337" not in page.text
        assert set(page.tags_without_data()) <= before[area]
        for link in page.attributes("a"):
            assert re.match(r"[/#]|https?://", link["href"])
        for block in re.findall(r"application/json\"[^>]*>([^<]*)<", answer):
            assert not set(block) & set("<>&'\u2028\u2029")
    assert found > 20


def shape(client, area):
    page = Page(client.get(address(area), headers=BROWSER).text)
    return set(page.tags_without_data())


def fill_text(path, payload):
    """The payload in every text column, made different where it must be."""
    with sqlite3.connect(path) as db:
        for table in areas_tables(db):
            for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})"):
                if kind == "TEXT":
                    db.execute(
                        f"UPDATE OR IGNORE {table} SET {column} = ? || id", (payload,)
                    )


def test_an_address_becomes_a_link_only_when_it_is_one_of_the_web():
    assert panels.web_address("https://example.com/1") == "https://example.com/1"
    for text in (
        "javascript:alert(1)",
        "javascript://shop.example/%0aalert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "//x.y",
        "http:x",
        "https://[",
        " https://x.y\n",
        "",
        None,
    ):
        assert panels.web_address(text) == "", text


def test_a_downloaded_cell_is_no_formula(path, client):
    with sqlite3.connect(path) as db:
        db.execute("UPDATE conversion_funnel SET stage_name = '=1+1' || id")
    rows = list(csv.reader(io.StringIO(client.get("/charts/funnel.csv").text)))
    assert rows[1][0].startswith("'=1+1")
    assert client.get("/charts/funnel.json").json["rows"][0][0].startswith("=1+1")


# ---- what is asked -------------------------------------------------------------------


def test_own_days_can_be_asked_for(read):
    page = read("/conversions?start=2025-10-01&end=2025-10-10")
    assert "1 to 10 Oct 2025" in page.text
    (start,) = [i for i in page.attributes("input") if i["name"] == "start"]
    assert start["value"] == "2025-10-01"
    assert "28 Sep" not in read("/?period=&start=2025-10-01&end=&as_of=").text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("period=7x", "period"),
        ("period=", None),
        ("start=2025-13-01", "start"),
        ("start=2025-02-02&end=2025-02-01", "is after"),
        ("period=7d&start=2025-02-02", "period"),
        ("perod=7d", "nearest: period"),
        ("measure=nope", "measure"),
        ("period=7d&period=9d", "more than once"),
    ],
)
def test_days_that_are_none_are_refused_in_a_page(client, read, query, words):
    if words is None:
        read(f"/?{query}")
        return
    page = read(f"/?{query}", 400)
    assert words in page.text and "Go to the overview" in page.text
    got = client.get(f"/?{query}")  # a script
    assert got.status_code == 400 and got.json["success"] is False
    assert client.get(f"/charts/funnel.csv?{query}").status_code == 400


NOWHERE = ("/nope", "/overview", "/charts/nope.csv", "/a/b", "/static/x", "/apis/x")


@pytest.mark.parametrize("prefix", ["", "/shop"])
@pytest.mark.parametrize("url", NOWHERE)
def test_what_is_not_there_is_a_page_for_people(make_app, prefix, url):
    client = make_app(url_prefix=prefix).test_client()
    got = client.get(prefix + url)
    assert got.status_code == 404 and got.json["error"]["code"] == "not_found"
    for accept in BROWSER["Accept"], "application/json;q=0.5, text/html;q=0.9":
        got = client.get(prefix + url, headers={"Accept": accept})
        assert got.status_code == 404 and Page(got.text).faults == []
        assert "Page not found" in got.text
        assert got.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/html;q=0.5", ""])
def test_who_does_not_want_a_page_most_gets_json(client, accept):
    for url in NOWHERE:
        assert client.get(url, headers={"Accept": accept}).is_json


@pytest.mark.parametrize("prefix", ["", "/shop"])
def test_below_api_errors_are_json_for_all(make_app, prefix):
    client = make_app(url_prefix=prefix).test_client()
    for url in ("/api/nope", "/api/a/b", "/api/v1/nope", "/api/v1/tables/nope"):
        got = client.get(prefix + url, headers=BROWSER)
        assert got.status_code == 404 and got.json["success"] is False
    got = client.post(prefix + "/api/overview/kpis", headers=BROWSER)
    assert got.status_code == 405 and got.json["success"] is False


def test_other_refusals_have_a_page_that_says_why(client):
    got = client.post("/customers", headers=BROWSER)
    assert got.status_code == 405 and "only be looked at" in got.text
    for url in ("/", "/a/b"):
        got = client.get(url, headers={**BROWSER, "Host": "evil.example"})
        assert got.status_code == 400 and "--allow-host" in got.text
        assert Page(got.text).faults == []


def test_a_chart_is_shown_in_the_way_that_is_chosen(read):
    page = read("/?measure=conversion_rate&period=90d")
    (chosen,) = [
        a for a in page.attributes("a")
        if a.get("aria-current") == "true" and "choice" in a["id"]
    ]  # fmt: skip
    assert chosen["href"] == "/?period=90d&measure=conversion_rate"
    assert "kpi_trend" in str(page.attributes("section"))


def test_what_the_assistant_earned_has_one_name(read):
    for url in ("/", "/revenue", "/?measure=total_customers"):
        text = read(url).text
        assert "Assistant revenue" in text
        for other in ("AI revenue", "Revenue impact", "evenue through the assistant"):
            assert other not in text


# ---- freshness and failures ----------------------------------------------------------


def test_a_page_is_kept_until_something_changes(path, client):
    first = client.get("/", headers=BROWSER)
    tag = {"If-None-Match": first.headers["ETag"], **BROWSER}
    assert client.get("/", headers=tag).status_code == 304
    with sqlite3.connect(path) as db:
        db.execute("UPDATE overview_kpis SET total_customers = 12345")
    again = client.get("/", headers=tag)
    assert again.status_code == 200 and "12,345" in again.text
    versions = [
        Page(a.text).attributes("main")[0]["data-version"] for a in (first, again)
    ]
    assert versions[0] != versions[1]


def test_a_part_that_fails_leaves_the_rest(client, monkeypatch):
    def fail(*given, **more):
        raise OperationalError("no such thing: secret.db")

    monkeypatch.setattr(panels, "feed", fail)
    got = client.get("/", headers=BROWSER)
    page = Page(got.text)
    assert got.status_code == 200 and page.faults == []
    assert "could not be read just now" in page.text and "34,000" in page.text
    assert "secret" not in got.text
    assert got.headers["Cache-Control"] == "no-store" and "ETag" not in got.headers
    monkeypatch.undo()
    assert "could not be read" not in client.get("/", headers=BROWSER).text


def test_a_page_asks_no_more_when_its_time_is_over(make_app, monkeypatch):
    """Each question has a time limit, but a page asks many."""
    make, made = pages_of_app.made, []

    def slowly(part):
        made.append(part.id)
        time.sleep(0.06)
        return make(part)

    monkeypatch.setattr(pages_of_app, "made", slowly)
    got = make_app(timeout=0.1).test_client().get("/", headers=BROWSER)
    assert got.status_code == 503 and got.headers["Retry-After"] == "1"
    assert len(made) == 2
    assert make_app(timeout=0).test_client().get("/").status_code == 200


def test_when_every_part_fails_there_is_no_page(client, monkeypatch):
    def fail():
        raise OperationalError("secret.db cannot be read")

    def parts(scene):
        return (areas.Part(name, name, fail) for name in ("bill", "payments"))

    broken = dataclasses.replace(areas.AREAS["billing"], parts=parts)
    monkeypatch.setitem(areas.AREAS, "billing", broken)
    got = client.get("/billing", headers=BROWSER)
    assert got.status_code == 503 and "secret" not in got.text
    assert Page(got.text).faults == []


def test_a_failure_is_a_page_without_its_reason(client, monkeypatch):
    def fail(*given):
        raise RuntimeError("/etc/passwd")

    monkeypatch.setattr(charts, "themes", fail)
    got = client.get("/customers?period=7d", headers=BROWSER)
    assert got.status_code == 500 and "/etc/passwd" not in got.text
    page = Page(got.text)
    assert page.faults == []
    assert any(a["href"] == "/customers?period=7d" for a in page.attributes("a"))


# ---- words ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "count", wording.NOTHING),
        (float("nan"), "percent", wording.NOTHING),
        (1234567, "count", "1,234,567"),
        (-0.5, "percent", "\N{MINUS SIGN}0.50%"),
        (12.345, "percent", "12.3%"),
        (0.914, "fraction", "91.4%"),
        (-1234.5, "currency", "\N{MINUS SIGN}₹1,234.50"),
        (42.5, "seconds", "42.5\N{NO-BREAK SPACE}s"),
        (690, "milliseconds", "690\N{NO-BREAK SPACE}ms"),
    ],
)
def test_figures_are_written_with_their_unit(value, unit, text):
    assert wording.number(value, unit, "INR") == text


def test_days_are_written_short():
    day = datetime.date
    assert wording.days(day(2025, 10, 2), day(2025, 10, 31)) == "2 to 31 Oct 2025"
    assert wording.days(day(2025, 9, 2), day(2025, 10, 1)) == "2 Sep to 1 Oct 2025"
    assert wording.days(day(2024, 9, 2), day(2025, 9, 1)) == "2 Sep 2024 to 1 Sep 2025"
    assert wording.days(day(2025, 9, 2), day(2025, 9, 2)) == "2 Sep 2025"


def test_data_blocks_hold_any_json():
    value = {"a": "</script><!-- & ' \u2028", "b": [1.5, None]}
    block = charts.data_block(value)
    assert not set(block) & set("<>&'\u2028\u2029")
    assert json.loads(block) == value
