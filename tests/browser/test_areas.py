"""Every area opens without a complaint, and shows what is in the database."""

from __future__ import annotations

import json

import pytest

from smartshopie_db import SmartShopieDB

AREAS = (
    "overview", "conversions", "customers", "products", "ai", "interactions",
    "revenue", "realtime", "billing", "api",
)  # fmt: skip
WIDTHS = (360, 820, 1600)
DRAWN = """() => [...document.querySelectorAll('[data-chart] .plot')]
    .every(plot => plot.querySelector('svg.main-svg'))"""


def address_of(server, area):
    return server + ("/" if area == "overview" else f"/{area}")


def visit(watched, server, area, query=""):
    """Open the area and wait until its charts are drawn."""
    watched.page.goto(address_of(server, area) + query)
    watched.page.wait_for_function(DRAWN)
    return watched.page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_area_opens_in_both_themes_at_every_width(
    open_page, server, width, theme
):
    watched = open_page(width=width, theme=theme)
    for area in AREAS:
        page = visit(watched, server, area)
        assert page.locator("h1").count() == 1
        assert page.locator(f"#nav-{area}[aria-current=page]").count() == 1
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{area} is {wide} px wide"
        assert page.locator("[data-failed]").count() == 0


def test_a_page_takes_at_most_six_requests(open_page, server):
    for area in AREAS:
        watched = open_page()
        visit(watched, server, area)
        watched.page.wait_for_timeout(300)
        assert len(watched.requests) <= 6, watched.requests
        assert all(url.startswith((server, "data:")) for url in watched.requests)


def card_values(page):
    """The figures of the cards by their headings."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.card')].map(
            card => [card.querySelector('h3').innerText.split(':')[0].trim(),
                     card.querySelector('.figure data')?.value ?? null]))"""
    )


def test_the_cards_are_the_figures_of_the_database(open_page, server, shop):
    with SmartShopieDB(shop, mode="ro") as db:
        rows = {
            row.measure: row
            for row in db.compare("overview_kpis", start="2025-12-02", end="2025-12-31")
        }
    page = visit(open_page(), server, "overview")
    values = [value for value in card_values(page).values() if value is not None]
    wanted = ("total_customers", "conversion_rate", "ai_interactions", "revenue_impact")
    assert [float(value) for value in values[:4]] == [
        pytest.approx(rows[name].value) for name in wanted
    ]


def test_the_funnel_is_that_of_the_database(open_page, server, shop):
    with SmartShopieDB(shop, mode="ro") as db:
        rows = db.query(
            "SELECT stage_name, sum(count) AS n FROM conversion_funnel"
            " WHERE record_date BETWEEN '2025-12-25' AND '2025-12-31'"
            " GROUP BY stage_order ORDER BY stage_order"
        )
        wanted = [(row.stage_name, row.n) for row in rows]
    page = visit(open_page(), server, "overview", "?period=7d")
    figure = page.evaluate(
        "() => JSON.parse(document.getElementById('data-funnel').textContent)"
    )
    text = json.dumps(figure)
    assert all(name in text and str(n) in text for name, n in wanted)
    rows = page.locator("#t-funnel tbody tr")
    for i, (name, n) in enumerate(wanted):
        assert name in rows.nth(i).text_content()
        values = (
            rows.nth(i).locator("data").evaluate_all("all => all.map(d => d.value)")
        )
        assert n in map(float, values)
    assert rows.count() == len(wanted)


def test_every_chart_can_be_read_as_a_table_and_downloaded(open_page, server):
    watched = open_page()
    for area in AREAS:
        page = visit(watched, server, area)
        for chart in page.locator("[data-chart]").all():
            name = chart.get_attribute("data-chart")
            if chart.locator(".empty").count():
                continue
            rows = chart.locator("tbody tr").count()
            assert rows, name
            with page.expect_download() as download:
                chart.locator("a[id^=csv-]").click()
            text = download.value.path().read_text()
            assert text.count("\n") >= rows, name


def test_the_period_is_in_the_address_and_back_goes_back(open_page, server):
    watched = open_page()
    page = visit(watched, server, "overview")
    before = page.locator("#asof").inner_text()
    page.click("#period-7d")
    page.wait_for_url("**/?period=7d")
    page.wait_for_function(
        "text => document.getElementById('asof').innerText != text", arg=before
    )
    page.wait_for_function(DRAWN)
    page.click("#nav-revenue")
    page.wait_for_url("**/revenue?period=7d")
    page.go_back()
    page.go_back()
    page.wait_for_function(
        "text => document.getElementById('asof').innerText == text", arg=before
    )
    page.goto(f"{server}/?start=2025-11-01&end=2025-11-30")
    assert "Nov" in page.locator("#asof").inner_text()


def test_figures_are_there_without_javascript(open_page, server):
    watched = open_page(java_script_enabled=False)
    for area in AREAS:
        watched.page.goto(address_of(server, area))
        assert watched.page.locator("h1").count() == 1
        assert watched.page.locator("data, td, .empty").count()
    # What the browser says of scripts that it was told not to run.
    blocked = [fault for fault in watched.faults if fault.endswith(".js csp")]
    assert len(blocked) == len(AREAS) and blocked == watched.faults
    watched.faults.clear()


def test_it_prints(open_page, server, tmp_path):
    page = visit(open_page(), server, "overview")
    page.emulate_media(media="print")
    assert not page.locator("#areas").is_visible()
    assert page.locator(".card").first.is_visible()
    assert page.pdf()[:5] == b"%PDF-"
