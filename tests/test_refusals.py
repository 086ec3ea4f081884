"""What a refused write says: which table, column and value, and the way out."""

from __future__ import annotations

import oracle
import pytest

from smartshopie_db import (
    DiskFullError,
    IntegrityError,
    OperationalError,
    SmartShopieDB,
)

OLD = "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE)"
LAST = 2**63 - 1


@pytest.fixture(params=["current", "older"])
def either(request, path, tmp_path):
    if request.param == "older":
        path = tmp_path / "old.db"
        oracle.run(path, OLD)
    with SmartShopieDB(path) as db:
        yield db


def test_the_id_of_another_row(either):
    either.add_overview_kpis(id=7, record_date="2025-01-01")
    with pytest.raises(IntegrityError, match=r"\(id = 7\)$") as one:
        either.add_overview_kpis(id=7, record_date="2025-01-02")
    with pytest.raises(IntegrityError, match=r"^row 0: .*\(id = 7\)$") as many:
        either.add_many("overview_kpis", [{"id": 7, "record_date": "2025-01-02"}])
    for error in (one.value, many.value):
        assert (error.table, error.column, error.value) == ("overview_kpis", "id", "7")
        assert str(error).count("id = 7") == 1


def test_a_key_is_said_once(either):
    row = {"record_date": "2025-01-01"}
    either.add_overview_kpis(**row)
    with pytest.raises(IntegrityError, match="already has a row") as caught:
        either.add_many("overview_kpis", [row], on_conflict="error")
    assert str(caught.value).count("record_date = 2025-01-01") == 1
    assert caught.value.value == "2025-01-01"


def test_no_row_id_is_left(path):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(id=LAST, record_date="2025-01-01")
        for add in (
            lambda: db.add_overview_kpis(record_date="2025-01-02"),
            lambda: db.add_many("overview_kpis", [{"record_date": "2025-01-02"}]),
            lambda: db.execute(
                "INSERT INTO overview_kpis (record_date, created_at, updated_at) SELECT"
                " '2025-01-02', created_at, updated_at FROM overview_kpis"
            ),
        ):
            with pytest.raises(OperationalError, match="largest row id") as caught:
                add()
            assert not isinstance(caught.value, DiskFullError)
            assert caught.value.table == "overview_kpis"
        # The two ways that the message names.
        db.add_overview_kpis(id=5, record_date="2025-01-02")
        db.overview_kpis.delete(LAST)
        db.execute("UPDATE sqlite_sequence SET seq = 5 WHERE name = 'overview_kpis'")
        assert db.add_overview_kpis(record_date="2025-01-03") == 6
