"""Rows for the tests of add_many()."""

import datetime

DAY = datetime.date(2025, 10, 28)
START = datetime.datetime(2025, 1, 1)


def stage(order, **columns):
    return {
        "record_date": DAY,
        "stage_name": f"stage {order}",
        "stage_order": order,
        "count": 10 * order,
        **columns,
    }


def interaction(n):
    return {
        "interaction_id": f"INT{n:07d}",
        "interaction_date": START + datetime.timedelta(minutes=n),
        "interaction_type": "chat",
        "customer_name": "Zoë",
        "response_time_sec": n / 4,
    }


STAMPS = ("created_at", "updated_at")


def contents(db, table, without=STAMPS):
    """Every row of a table but for the moments of writing."""
    rows = [dict(row) for row in getattr(db, table).select()]
    return [{k: v for k, v in row.items() if k not in without} for row in rows]
