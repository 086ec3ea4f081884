"""The texts of kept answers are kept with them."""

import threading
import time

import pytest
from cached import CHANGE, fill, newest

from smartshopie_db import SmartShopieDB

TEXTS = {
    "rows": lambda rows, record: rows.to_json(),
    "columns": lambda rows, record: rows.to_json("columns"),
    "wrapped": lambda rows, record: rows.to_json(prefix=b'{"a":', suffix=b"}"),
    "for html": lambda rows, record: rows.to_json(html=True, redact=True),
    "lines": lambda rows, record: rows.to_ndjson(),
    "csv": lambda rows, record: rows.to_csv(delimiter=";"),
    "a record": lambda rows, record: record.to_json(),
}


@pytest.mark.parametrize("text_of", TEXTS.values(), ids=TEXTS)
def test_a_text_is_made_once(db, text_of):
    rows, record = db.overview_kpis.select(), db.get_overview_kpis()
    before = db.stats()["cache_bytes"]
    text = text_of(rows, record)
    assert text_of(db.overview_kpis.select(), db.get_overview_kpis()) is text
    assert db.stats()["cache_bytes"] >= before + len(text)
    with SmartShopieDB(db.db_path, cache=False) as plain:
        other = plain.overview_kpis.select(), plain.get_overview_kpis()
        assert text_of(*other) == text
        assert text_of(*other) is not text_of(*other)
    db.execute(CHANGE)
    newest(db)
    assert text_of(rows, record) == text  # what is not kept any more can do it, too
    assert text_of(rows, record) is not text
    assert text_of(db.overview_kpis.select(), db.get_overview_kpis()) != text
    db.close()
    assert text_of(rows, record) == text


def test_texts_differ_by_what_was_asked(db):
    rows = db.overview_kpis.select()
    texts = [text_of(rows, rows[0]) for text_of in TEXTS.values()]
    assert len(set(texts)) == len(texts) - (texts[0] == texts[3])
    again = [text_of(rows, rows[0]) for text_of in TEXTS.values()]
    assert all(a is b for a, b in zip(texts[:-1], again[:-1], strict=True))
    with pytest.raises(ValueError, match="orient"):
        rows.to_json("x")
    with pytest.raises(TypeError):
        rows.to_json(html=1)


def test_texts_count_and_go(path):
    with SmartShopieDB(path, cache=400_000) as db:
        fill(db, 30)
        rows = db.overview_kpis.select()
        assert db.overview_kpis.get(1) is db.overview_kpis.get(1)
        for n in range(40):
            text = rows.to_json(prefix=b"x" * 10_000 + str(n).encode())
            assert text.startswith(b"x" * 10_000)
            assert db.stats()["cache_bytes"] <= 100_000  # a quarter
        assert db.overview_kpis.select() is rows
        for n in range(200):
            db.query("SELECT ? AS a, ? AS b", (n, "x" * 9000)).to_json()
            assert db.stats()["cache_bytes"] <= 400_000
        assert db.stats()["cache_evictions"] > 100
        assert db.overview_kpis.select() is not rows
        assert rows.to_json() == db.overview_kpis.select().to_json()


def test_texts_are_made_while_answers_go(db):
    """The answer leaves the cache while its text is being written without the GIL."""
    stop = time.monotonic() + 1
    db.execute("CREATE TABLE much AS SELECT * FROM overview_kpis, (VALUES (1), (2))")
    for _ in range(9):
        db.execute("INSERT INTO much SELECT * FROM much")

    def write():
        while time.monotonic() < stop:
            db.execute(CHANGE)

    def read():
        while time.monotonic() < stop:
            rows = db.query("SELECT * FROM much")
            assert rows.to_json()[:2] == b"[{" and rows.to_csv()

    threads = [threading.Thread(target=f) for f in (write, read, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.stats()["cache_misses"] > 3
