"""What all reports share: one state of the database, answers that are kept."""

from asking import ask

from smartshopie_db import SmartShopieDB
from smartshopie_db.reports import window
from smartshopie_db.reports.answer import _of_one_state, answer


def test_a_report_shows_one_state(path):
    """Somebody writes between its reads: it is asked again, of one state."""
    writes = iter([1, 2, 3])

    @_of_one_state
    def twice(db, asked):
        first = db.overview_kpis.count()
        with SmartShopieDB(path) as other:
            other.add_overview_kpis(record_date=f"2025-01-0{next(writes)}")
        return answer(asked, (first, db.overview_kpis.count()))

    with SmartShopieDB(path) as db:
        asked = window(db, as_of="2025-01-31")
        assert twice(db, asked)["data"] == (1, 1)  # not (0, 1)
        assert db.overview_kpis.count() == 2


def test_answers_are_kept_while_nothing_changes(made_file):
    with SmartShopieDB(made_file, mode="ro") as db:
        first = ask(db, "overview/kpis")
        misses = db.stats()["cache_misses"]
        assert ask(db, "overview/kpis")["comparison"] is first["comparison"]
        assert db.stats()["cache_misses"] <= misses + 1  # a PRAGMA is never kept
