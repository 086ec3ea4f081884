"""Figures of a large table whose rows lie in no order of time: however much of it is
asked for, and so whichever way it is read, they are what SQL counts."""

import shutil

import oracle
import pytest
from figures import DAY, D
from large import fill, fill_products, old_file

from smartshopie_db import SmartShopieDB

FIRST, DAYS = D(2025, 1, 1), 104
SCATTERED = "(i * 7919 % 30011) * 300"  # over DAYS days


@pytest.fixture(scope="module")
def path(tmp_path_factory, blank_file):
    made = shutil.copy(blank_file, tmp_path_factory.mktemp("large") / "shop.db")
    return fill_products(fill(made, seconds=SCATTERED))


@pytest.fixture
def db(path):
    with SmartShopieDB(path, cache=False) as db:
        yield db


def counted(path, start, end):
    """Rows, and the sums of message_count and of the days' views."""
    between = f"BETWEEN '{start}' AND '{end}'"
    return oracle.run(
        path,
        "SELECT count(*), sum(message_count), (SELECT sum(views) FROM "
        f"product_analytics WHERE record_date {between}) FROM customer_interactions "
        f"WHERE date(interaction_date) {between}",
    )[0]


@pytest.mark.parametrize("start", [0, 20, 70])
@pytest.mark.parametrize("days", [3, 31, 33, 36, 60, 104])
def test_a_window_of_any_width(db, path, start, days):
    first = FIRST + start * DAY
    last = first + (days - 1) * DAY
    before = (first - days * DAY, first - DAY)
    apart = (first - (days + 5) * DAY, first - 6 * DAY)
    rows, messages, views = counted(path, first, last)
    for to in (before, apart):
        old_rows, old_messages, old_views = counted(path, *to)
        found = db.compare(
            "customer_interactions", ["rows", "message_count"],
            start=first, end=last, to=to,
        )  # fmt: skip
        assert found["value"].to_list() == [rows, messages]
        assert found["previous"].to_list() == [old_rows, old_messages]
        (found,) = db.compare(
            "product_analytics", "views", start=first, end=last, to=to
        )
        assert (found.value, found.previous) == (views, old_views)
    daily = db.series("customer_interactions", "rows", start=first, end=last)
    assert len(daily) == days and sum(filter(None, daily["rows"])) == rows
    by_type = db.top(
        "customer_interactions", "rows", 99, by="interaction_type",
        start=first, end=last,
    )  # fmt: skip
    assert sum(by_type["rows"]) == rows


def test_the_time_of_a_legacy_file_is_no_order(tmp_path):
    path = old_file(tmp_path / "old.db")
    (wanted,) = oracle.run(
        path,
        "SELECT count(*) FROM customer_interactions "
        f"WHERE date(interaction_date) = '{FIRST}'",
    )
    with SmartShopieDB(path, cache=False) as db:
        (day,) = db.series("customer_interactions", "rows", start=FIRST, end=FIRST)
        assert (day.rows,) == wanted
