"""What goes on now."""

import datetime

import pytest
from asking import ask

BEGIN = datetime.datetime(2025, 1, 1, 8)
UTC = datetime.UTC
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def minutes(db):
    db.add_many(
        "realtime_metrics",
        [{"recorded_at": BEGIN + n * MINUTE, "active_sessions": n} for n in range(300)],
    )
    return db


def sessions(found):
    return found["data"]["active_sessions"].to_list()


def test_without_since_it_is_the_last_hour(minutes):
    found = ask(minutes, "realtime/system-health")
    assert sessions(found) == list(range(240, 300)) and "more" not in found
    assert found["data"][0].cpu_usage_pct is None  # not 0
    assert found["data"].columns[0] == "recorded_at" and len(found["data"].columns) == 6


def test_old_rows_are_not_the_last_hour(db):
    for moment in ("2025-01-01 08:00:00", "2025-01-01 10:00:00", "2025-01-01 10:30:00"):
        db.add_realtime_metric(recorded_at=moment, active_sessions=1)
    assert len(ask(db, "realtime/system-health")["data"]) == 2


def test_since_gives_the_newest_that_are_later(minutes):
    found = ask(minutes, "realtime/system-health", since="2025-01-01T12:57:00")
    assert sessions(found) == [298, 299] and "more" not in found
    found = ask(minutes, "realtime/system-health", since="2025-01-01T08:00:00Z")
    assert sessions(found) == list(range(180, 300)) and found["more"] is True
    found = ask(minutes, "realtime/system-health", since="2025-01-01 14:57:30+02:00")
    assert sessions(found) == [298, 299]  # 12:57:30 in UTC
    found = ask(minutes, "realtime/system-health", since="2025-01-01T12:59:00.000000")
    assert sessions(found) == []
    for since in (BEGIN + 298 * MINUTE, (BEGIN + 298 * MINUTE).replace(tzinfo=UTC)):
        assert sessions(ask(minutes, "realtime/system-health", since=since)) == [299]
    found = ask(minutes, "realtime/system-health", since="2025-01-01T10:59:00")
    assert len(sessions(found)) == 120 and "more" not in found


@pytest.mark.parametrize(
    "since",
    ["", "0", "zzz", "' OR 1=1--", "2025-01-01", "20250101T080000", "2025-13-01T08:00",
     "2025-01-01T08:00:00 02:00", "9999-12-31T23:59:59-05:00",
     "9999-12-31T23:59:59.999999", 0],
)  # fmt: skip
def test_other_instants_are_refused(minutes, since):
    with pytest.raises(ValueError, match="since: expected an instant such as"):
        ask(minutes, "realtime/system-health", since=since)


def test_it_ends_with_the_window_and_says_how_old_it_is(minutes):
    minutes.add_overview_kpis(record_date="2025-02-01")
    found = ask(minutes, "realtime/system-health", period="7d")
    assert found["fallback"] and found["to"] == datetime.date(2025, 1, 1)
    assert sessions(ask(minutes, "realtime/system-health", as_of="2024-12-31")) == []


def test_endpoints_together_count_by_calls(db):
    for name, ms, rate, calls in (("A", 100.0, 99.0, 300), ("B", 200.0, 95.0, 100)):
        db.add_api_endpoint(
            endpoint_name=name, method="GET", avg_response_ms=ms, success_rate=rate,
            daily_calls=calls,
        )  # fmt: skip
    found = ask(db, "realtime/api-endpoints")
    assert len(found["data"]) == 2 and len(found["data"].columns) == 12
    assert found["summary"] == {
        "avg_response_ms": 125.0, "success_rate": 98.0, "error_rate": None,
        "daily_calls": 400,
    }  # fmt: skip
