"""The single interactions of the made-up shop: a million of them in a second.

They are made a day at a time and a column at a time. What is drawn is bytes, as many as
the column has cells, and each byte finds its value on a wheel of 256 places.
"""

from __future__ import annotations

import datetime
import itertools
import random
import struct
from collections.abc import Iterable, Sequence
from typing import Any

COLUMNS = (
    "interaction_id interaction_date interaction_type customer_id session_id"
    " response_time_sec satisfaction_score customer_name activity_description"
    " status_badge message_count"
)


def wheel(values: Sequence[Any], weights: Sequence[float]) -> list[Any]:
    """256 places; how many of them a value has is its weight."""
    places: list[Any] = []
    due = 0.0
    for value, weight in zip(values, weights, strict=True):
        due += 256 * weight / sum(weights)
        places += [value] * (round(due) - len(places))
    return places


def even(values: Sequence[Any]) -> list[Any]:
    return wheel(values, [1] * len(values))


HOURS = wheel(
    range(0, 86_400, 3600),
    (2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 14, 13, 12, 12, 13, 15, 19, 22, 21, 16, 9,
     4),
)  # fmt: skip
KINDS = wheel(("chat", "questionnaire", "image", "routine"), (47, 27, 17, 9))
ANSWERED = even([round(4 + 1.4**k, 1) for k in range(1, 13)])  # seconds
ANSWERED_IN_OUTAGE = [round(4 * seconds, 1) for seconds in ANSWERED]
SCORES = wheel((5, 4, 3, 2, 1, None), (38, 31, 12, 5, 3, 11))
BADGES = wheel(("Recommended", "Converted", "Processing", None), (45, 20, 15, 20))
MESSAGES = even((None, *range(2, 30)))
NAMES = [f"Visitor {a}{b}" for a in "ABCDEFGHKLMNPRSTVW" for b in range(1, 60)]
ACTIVITIES = even((
    "Asked which serum goes with a morning routine", "Compared two cleansers",
    "Sent a picture for a skin tone match", "Finished the hair questionnaire",
    "Planned an evening routine", "Asked when an order arrives",
    "Looked for a fragrance-free lotion", "Added a recommended product to the cart",
))  # fmt: skip


ONES = [f"{number:03}" for number in range(1000)]


def numbered(letter: str, first: int, n: int) -> Iterable[str]:
    """I-000000001 and so on; a thousand share their beginning."""
    last = first + n - 1
    blocks = (
        [head + ones for ones in ONES]
        for head in (f"{letter}-{k:06}" for k in range(first // 1000, last // 1000 + 1))
    )
    return itertools.islice(
        itertools.chain.from_iterable(blocks), first % 1000, first % 1000 + n
    )


class Feed:
    """Draws the rows of one day after another."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.clock = [
            f" {hour:02}:{minute:02}:{second:02}"
            for hour in range(24)
            for minute in range(60)
            for second in range(60)
        ]

    def draw(self, places: Sequence[Any], n: int) -> Iterable[Any]:
        return map(places.__getitem__, self.chance.randbytes(n))

    def numbers(self, n: int, form: str, size: int) -> tuple[int, ...]:
        return struct.unpack(f"<{n}{form}", self.chance.randbytes(size * n))

    def of_day(
        self, date: datetime.date, n: int, first: int, customers: int, outage: bool
    ) -> Iterable[tuple[Any, ...]]:
        """The rows of a day, as COLUMNS, by its hours; numbered from `first`."""
        within = self.numbers(n, "H", 2)
        hours = self.draw(HOURS, n)
        seconds = [
            hour + (second * 3600 >> 16)
            for hour, second in zip(hours, within, strict=True)
        ]
        seconds.sort()
        people = [1 + number % customers for number in self.numbers(n, "I", 4)]
        day, clock, most = str(date), self.clock, len(NAMES)
        heads = [f"C-{k:03}" for k in range(customers // 1000 + 1)]
        return zip(
            numbered("I", first, n),
            [day + clock[second] for second in seconds],
            self.draw(KINDS, n),
            [heads[person // 1000] + ONES[person % 1000] for person in people],
            numbered("S", first, n),
            self.draw(ANSWERED_IN_OUTAGE if outage else ANSWERED, n),
            self.draw(SCORES, n),
            [NAMES[person % most] for person in people],
            self.draw(ACTIVITIES, n),
            self.draw(BADGES, n),
            self.draw(MESSAGES, n),
            strict=True,
        )
