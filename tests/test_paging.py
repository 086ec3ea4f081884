"""Pages by after= and next_token: together the whole list, whatever is added."""

import base64
import copy
import pickle
import string

import layouts
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartshopie_db import SmartShopieDB

URL_SAFE = set(string.ascii_letters + string.digits + "-_")
DAYS = ("2025-01-01", "2025-01-02", "2025-01-03")


def pages(read, limit, between=lambda: None, **arguments):
    """Every page, as lists of ids, following the tokens."""
    found, token = [], None
    while True:
        rows = read(limit=limit, after=token, **arguments)
        found.append([row.id for row in rows])
        token = rows.next_token
        if token is None:
            return found
        assert set(token) <= URL_SAFE
        assert len(rows) == limit
        between()


def joined(lists):
    return [item for some in lists for item in some]


def ids(rows):
    return [row.id for row in rows]


def add_products(db, rows):
    for n, (day, category, views, revenue) in enumerate(rows):
        db.add_product_analytics(
            record_date=DAYS[day],
            product_id=f"p{n}",
            product_name=f"name {n}",
            category=category,
            views=views,
            revenue=revenue,
        )


PRODUCTS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["", "a", "b", "ä"]),
        st.none() | st.integers(0, 2),
        st.none() | st.sampled_from([0.0, 0.5, 1.0, 1e300, 5e-324]),
    ),
    max_size=14,
)
ORDERS = st.lists(
    st.sampled_from(["views", "revenue", "category", "record_date", "id", "updated_at"])
    .flatmap(lambda name: st.sampled_from([name, "-" + name])),
    max_size=4,
    unique_by=lambda word: word.lstrip("-"),
)  # fmt: skip


@given(rows=PRODUCTS, order=ORDERS, limit=st.integers(1, 5))
@settings(max_examples=60)
def test_pages_concatenate_to_the_whole_list(rows, order, limit):
    with SmartShopieDB(":memory:") as db:
        add_products(db, rows)
        table = db.product_analytics
        for arguments in (
            {"order_by": order or None},
            {"order_by": order or None, "category": "a"},
            {"order_by": order or None, "start": DAYS[1]},
            {"order_by": order or None, "period": "2d"},
        ):
            whole = ids(table.select(**arguments))
            parts = pages(table.select, limit, **arguments)
            assert joined(parts) == whole
            assert len(parts) == max(1, -(-len(whole) // limit))  # none for nothing
            getter = ids(db.get_product_analytics(**arguments))
            assert joined(pages(db.get_product_analytics, limit, **arguments)) == getter


@given(
    rows=PRODUCTS,
    later=st.lists(PRODUCTS, min_size=1, max_size=3),
    order=ORDERS,
    limit=st.integers(1, 4),
)
@settings(max_examples=40)
def test_inserts_between_pages_repeat_and_lose_nothing(rows, later, order, limit):
    with SmartShopieDB(":memory:") as db:
        add_products(db, rows)
        table = db.product_analytics
        order = [word for word in order if "updated_at" not in word]
        old = ids(table.select(order_by=order or None))
        waiting = [row for some in later for row in some]
        count = [len(rows)]

        def insert():
            if waiting:
                day, category, views, revenue = waiting.pop()
                count[0] += 1
                db.add_product_analytics(
                    record_date=DAYS[day],
                    product_id=f"later {count[0]}",
                    product_name="later",
                    category=category,
                    views=views,
                    revenue=revenue,
                )

        seen = joined(pages(table.select, limit, insert, order_by=order or None))
        assert len(seen) == len(set(seen))
        assert [row for row in seen if row in set(old)] == old


def test_a_newer_day_does_not_change_the_pages_of_a_window(db):
    add_products(db, [(1, "a", n, None) for n in range(6)])

    def newer():
        add_products(db, [(2, "later", 9, None)])

    found = pages(db.get_product_analytics, 2, newer)
    assert joined(found) == [1, 2, 3, 4, 5, 6]
    assert ids(db.get_product_analytics()) == [7]

    old = ids(db.product_analytics.select(period="2d", order_by="views"))

    def much_newer():
        db.add_product_analytics(
            record_date="2025-02-01", product_id="x", product_name="x", category="x"
        )

    found = pages(
        db.product_analytics.select, 3, much_newer, period="2d", order_by="views"
    )
    assert joined(found) == old


def test_deleting_the_last_row_of_a_page_loses_nothing(db):
    add_products(db, [(0, "a", 1, None) for _ in range(6)])
    table = db.product_analytics
    first = table.select(limit=2, order_by="views")
    table.delete(2)
    second = table.select(limit=9, order_by="views", after=first.next_token)
    assert ids(second) == [3, 4, 5, 6]


def test_events_page_from_the_newest_by_default(db):
    for n in range(250):
        db.add_customer_interaction(
            interaction_id=f"i{n}",
            interaction_date=f"2025-01-{n % 9 + 1:02} 10:00:00",
            interaction_type="Chat",
        )
    whole = ids(db.get_customer_interactions(limit=1000))
    first = db.get_customer_interactions()
    second = db.get_customer_interactions(after=first.next_token)
    third = db.get_customer_interactions(after=second.next_token)
    assert [len(first), len(second), len(third)] == [100, 100, 50]
    assert ids(first) + ids(second) + ids(third) == whole
    assert third.next_token is None
    assert joined(pages(db.get_customer_interactions, 70)) == whole


def test_columns_need_not_hold_the_order(db):
    add_products(db, [(0, "a", n % 3, None) for n in range(7)])
    names, token = [], None
    while True:
        rows = db.product_analytics.select(
            columns="product_name", order_by="-views", limit=2, after=token
        )
        assert rows.columns == ("product_name",)
        names += list(rows["product_name"])
        token = rows.next_token
        if token is None:
            break
    assert names == [row.product_name for row in db.product_analytics.select(
        order_by="-views")]  # fmt: skip


def test_the_rest_without_a_limit_and_an_offset_from_the_place(db):
    add_products(db, [(0, "a", 1, None) for _ in range(9)])
    token = db.product_analytics.select(limit=3).next_token
    rest = db.product_analytics.select(after=token)
    assert ids(rest) == [4, 5, 6, 7, 8, 9]
    assert rest.next_token is None
    assert ids(db.product_analytics.select(after=token, offset=4)) == [8, 9]
    assert ids(db.product_analytics.select(limit=0, after=token)) == []


def test_which_views_of_a_page_have_its_token(db):
    add_products(db, [(0, "a", 1, None) for _ in range(5)])
    rows = db.product_analytics.select(limit=4)
    assert rows.next_token is not None
    assert rows[2:].next_token == rows.next_token
    assert rows[:3].next_token is None
    assert rows[::-1].next_token is None
    assert rows[4:].next_token is None
    assert db.product_analytics.select().next_token is None
    assert db.product_analytics.select(limit=5).next_token is None
    assert db.query("SELECT 1").next_token is None


# ---- old files -------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_old_files_page_whatever_the_form_of_their_dates(old_path, limit):
    with SmartShopieDB(old_path, strict=False) as db:
        for name, table in db.tables.items():
            for column in table.schema:
                for sign in ("", "-"):
                    order = sign + column["name"]
                    wanted = table.select(order_by=order).to_list()[:12]
                    got, token = [], None
                    while len(got) < len(wanted):
                        rows = table.select(order_by=order, limit=limit, after=token)
                        got += rows.to_list()
                        token = rows.next_token
                        if token is None:
                            break
                    assert got[: len(wanted)] == wanted, (name, order)


def test_a_token_of_an_old_file_does_not_fit_a_new_one(db, tmp_path):
    add_products(db, [(0, "a", 1, None) for _ in range(3)])
    old = layouts.build(tmp_path / "old.db", next(iter(layouts.LAYOUTS)))
    with SmartShopieDB(old) as other:
        token = other.customer_interactions.select(limit=1).next_token
    with pytest.raises(ValueError, match="before the file was migrated"):
        db.customer_interactions.select(after=token)


# ---- wrong tokens ----------------------------------------------------------------


@pytest.fixture
def token(db):
    add_products(db, [(0, "a", 1, None) for _ in range(3)])
    return db.product_analytics.select(limit=1, order_by="views").next_token


def test_a_token_of_something_else_is_refused(db, token):
    with pytest.raises(ValueError, match="of product_analytics, not of overview_kpis"):
        db.overview_kpis.select(after=token, order_by="total_customers")
    for order in (None, "-views", ["views", "revenue"], "revenue"):
        with pytest.raises(ValueError, match="another order or window"):
            db.product_analytics.select(after=token, order_by=order)
    with pytest.raises(ValueError, match="another order or window"):
        db.product_analytics.select(after=token, order_by="views", period="7d")
    with pytest.raises(TypeError, match=r"after: expected str.*got int"):
        db.product_analytics.select(after=3)


@given(garbage=st.text(max_size=80) | st.binary(max_size=60).map(
    lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")))  # fmt: skip
@settings(max_examples=150)
def test_garbage_is_a_value_error(garbage):
    with (
        SmartShopieDB(":memory:") as db,
        pytest.raises(ValueError, match=r"after|utf-8"),
    ):
        db.product_analytics.select(after=garbage, limit=3)


def resealed(raw):
    """The bytes with a checksum that fits, as somebody hostile would send them."""
    total = 2166136261
    for byte in raw:
        total = (total ^ byte) * 16777619 % 2**32
    sealed = raw + total.to_bytes(4, "little")
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unsealed(token):
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[:-4]


def test_a_forged_token_is_refused_or_read_as_values(db, token):
    table = db.product_analytics
    raw = unsealed(token)
    assert resealed(raw) == token
    for at in range(len(raw)):
        for byte in (0, 1, 2, 3, 4, 7, 8, 127, 128, 255):
            forged = resealed(raw[:at] + bytes([byte]) + raw[at + 1 :])
            try:
                rows = table.select(after=forged, order_by="views", limit=2)
            except ValueError as error:
                assert "after" in str(error)
            else:
                assert len(rows) <= 2
    for n in range(len(raw)):
        with pytest.raises(ValueError, match="after"):
            table.select(after=resealed(raw[:n]), order_by="views")
    with pytest.raises(ValueError, match="after"):
        table.select(after=resealed(raw + b"\0"), order_by="views")


def test_a_token_that_was_damaged_on_the_way(db, token):
    """One bit is enough: what it would mean then is another place in the table."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for at in range(8 * len(raw)):
        damaged = bytearray(raw)
        damaged[at // 8] ^= 1 << at % 8
        after = base64.urlsafe_b64encode(damaged).decode().rstrip("=")
        with pytest.raises(ValueError, match="next_token of the page before"):
            db.product_analytics.select(after=after, order_by="views")


def test_a_forged_window_stays_in_the_calendar(db):
    add_products(db, [(0, "a", 1, None) for _ in range(3)])
    raw = unsealed(db.get_product_analytics(limit=1).next_token)
    for day in (2**63 - 1, -(2**63), 2932897, -719163):
        forged = raw[:10] + (day % 2**64).to_bytes(8, "little") + raw[18:]
        with pytest.raises(ValueError, match="after"):
            db.get_product_analytics(limit=1, after=resealed(forged))


def test_a_page_that_went_to_another_process(db):
    add_products(db, [(0, "a", n, None) for n in range(5)])
    table = db.product_analytics
    page = table.select(limit=2)
    for again in (pickle.loads(pickle.dumps(page)), copy.copy(page)):
        assert ids(table.select(after=again.next_token)) == [3, 4, 5]
    for short in (page[:1], table.select(limit=5)):
        assert pickle.loads(pickle.dumps(short)).next_token is None
    assert pickle.loads(pickle.dumps(page[1:])).next_token == page.next_token
