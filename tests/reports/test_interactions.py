"""Interactions by kind: against figures worked out by hand."""

import datetime

from asking import ask

D = datetime.date


def day(db, date, total, chat, seconds, **kinds):
    db.add_interaction_summary(
        record_date=date, total_interactions=total, chat_interactions=chat,
        avg_response_time=seconds, **kinds,
    )  # fmt: skip


KINDS = (
    "questionnaire_interactions",
    "image_analysis_interactions",
    "routine_planner_interactions",
)


def test_totals_are_as_stored_and_checked(db):
    kinds = dict(zip(KINDS, (40, 0, 0), strict=True))
    day(db, "2025-01-01", 90, 60, 10.0, **kinds)
    day(db, "2025-01-03", 10, 10, 60.0)
    found = ask(db, "interactions/summary", period="3d")
    data = found["data"]
    assert data["total_interactions"] == 100 and data["total_computed"] == 110
    assert data["chat_interactions"] == 70
    assert (
        data["avg_response_time"] == 15.0
    )  # by interactions, not the mean of 10 and 60
    assert [item["date"] for item in found["timeline"]] == [
        D(2025, 1, 1), D(2025, 1, 2), D(2025, 1, 3),
    ]  # fmt: skip
    assert [item["chat_interactions"] for item in found["timeline"]] == [60, None, 10]
    assert found["comparison"][0].previous is None


def test_parts_that_add_up_or_are_not_all_known_make_no_other_total(db):
    day(db, "2025-01-01", 10, 10, 1.0, **dict.fromkeys(KINDS, 0))
    assert "total_computed" not in ask(db, "interactions/summary")["data"]
    unknown = {KINDS[0]: 1, KINDS[1]: None, KINDS[2]: None}
    day(db, "2025-01-01", 10, 10, 1.0, **unknown)
    assert "total_computed" not in ask(db, "interactions/summary")["data"]


def test_a_window_without_rows_has_no_figures(db):
    day(db, "2025-01-01", 10, 10, 12.0)
    found = ask(db, "interactions/summary", period="7d", as_of="2025-06-01")
    assert found["data"] is None and found["timeline"] == []  # no reading of 0 seconds


def test_buckets_follow_the_length_of_the_window(db):
    for n in range(400):
        day(db, D(2024, 1, 1) + datetime.timedelta(days=n), 1, 1, 1.0)
    for given, first, count in (
        ({"start": "2024-03-01", "end": "2024-03-31"}, D(2024, 3, 1), 31),
        ({"start": "2024-03-01", "end": "2024-04-01"}, D(2024, 3, 1), 6),
        ({"start": "2024-03-01", "end": "2024-05-31"}, D(2024, 3, 1), 14),
        ({"start": "2024-03-01", "end": "2024-06-01"}, D(2024, 3, 1), 4),
        ({"period": "1y"}, D(2024, 2, 4), 13),
    ):
        timeline = ask(db, "interactions/summary", **given)["timeline"]
        assert (timeline[0]["date"], len(timeline)) == (first, count)
        wanted = ask(db, "interactions/summary", **given)["data"]["total_interactions"]
        assert sum(item["chat_interactions"] for item in timeline) == wanted
    assert timeline[0]["complete"] is False and timeline[1]["complete"] is True
