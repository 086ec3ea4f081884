"""The page while the data changes, and when it says what somebody else has written."""

from __future__ import annotations

import subprocess
import sys

import pytest
from harness import UNTIL, serving, until
from payloads import PAYLOADS
from test_areas import AREAS, card_values, visit

from smartshopie_db import Error, SmartShopieDB, demo

ADD = """
import sys
from smartshopie_db import SmartShopieDB
with SmartShopieDB(sys.argv[1]) as db:
    db.add_overview_kpis(record_date=sys.argv[2], total_customers=int(sys.argv[3]))
"""


def shows(page, figure):
    """Is it on one of the cards?"""
    return lambda: figure in map(float, filter(None, card_values(page).values()))


@pytest.fixture
def own_shop(tmp_path):
    path = tmp_path / "shop.db"
    demo.generate(path, days=40, rows=200, until=UNTIL)
    return path


def test_another_process_changes_the_page_within_two_seconds(open_page, own_shop):
    with serving(own_shop) as server:
        watched = open_page()
        page = visit(watched, server, "overview")
        page.wait_for_function(
            "() => document.getElementById('live').dataset.state == 'on'"
        )
        page.evaluate("window.scrollTo(0, 300)")
        page.locator("details summary[id^=s-]").first.click()
        for customers in (123_456, 234_567):
            command = [sys.executable, "-c", ADD, own_shop, str(UNTIL), str(customers)]
            subprocess.run(command, check=True)
            assert until(shows(page, customers), 10) < 2
        assert page.evaluate("window.scrollY") == 300
        assert page.locator("details[id^=t-][open]").count() == 1


def test_a_page_says_when_it_no_longer_hears_of_changes(open_page, own_shop):
    watched = open_page()
    with serving(own_shop) as server:
        page = visit(watched, server, "overview")
        page.wait_for_function(
            "() => document.getElementById('live').dataset.state == 'on'"
        )
    page.wait_for_function(
        "() => document.getElementById('live').dataset.state != 'on'"
    )
    watched.faults.clear()  # that the server is gone is in the console, rightly


def hostile(path):
    """A database in which every text of every table is a payload, where the file lets
    it be one; returns how many cells are."""
    done = 0
    demo.generate(path, days=40, rows=100, until=UNTIL)
    with SmartShopieDB(path) as db:
        for table in db.tables.values():
            texts = [c["name"] for c in table.schema if c["type"] == "TEXT"]
            for i, row in enumerate(table.select(order_by="-id", limit=60)):
                for j, column in enumerate(texts):
                    payload = PAYLOADS[(i + 7 * j) % len(PAYLOADS)]
                    try:
                        done += table.update(row.id, **{column: payload})
                    except Error:  # a key that is taken, a text that must have a form
                        continue
    return done


def test_texts_of_the_database_never_run(open_page, tmp_path):
    path = tmp_path / "hostile.db"
    assert hostile(path) > 1000
    with serving(path) as server:
        watched = open_page()
        for area in AREAS:
            page = visit(watched, server, area)
            for details in page.locator("details").all():
                details.evaluate("found => { found.open = true }")
            for plot in page.locator(".plot").all():
                plot.hover(force=True)
            page.wait_for_timeout(100)
            assert page.evaluate("window.hit") is None, area
            links = page.evaluate(
                "() => [...document.querySelectorAll('a')].map(a => a.href)"
            )
            links += page.evaluate(
                """() => [...document.querySelectorAll('svg a')].map(
                    a => a.getAttribute('href') ?? a.getAttribute('xlink:href'))"""
            )
            assert not [link for link in links if link and "script:" in link.lower()]
        page.wait_for_timeout(500)  # for what is loaded late
        assert all(url.startswith((server, "data:")) for url in watched.requests)
