"""Rows for the tests of series(), compare(), top() and breakdown(), and exact sums."""

import datetime
import math
from fractions import Fraction

from schema_facts import TABLES

D = datetime.date
DAY = datetime.timedelta(days=1)


def add(db, table, **values):
    """One row; what the table requires and the test does not care about is made up."""
    facts = TABLES[table]
    return getattr(db, facts.adder)(**(facts.least() | values))


def add_interaction(db, number, when, **values):
    values = {"interaction_id": f"i{number}", "interaction_date": when, **values}
    add(db, "customer_interactions", **values)


def kpis(db, values):
    with db.transaction():
        for day, n in values.items():
            db.add_overview_kpis(
                record_date=day,
                total_customers=n,
                conversion_rate=n / 10,
                ai_interactions=n,
                revenue_impact=float(n),
            )


def exact(values):
    return sum(map(Fraction, values), Fraction(0))


def same(got, want):
    if got is None or want is None:
        return got is want
    if isinstance(got, int):
        return got == want
    return math.isclose(got, float(want), rel_tol=1e-12, abs_tol=1e-9)
