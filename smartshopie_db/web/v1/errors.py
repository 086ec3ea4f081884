"""What the core says of an argument or a cell, as an answer.

Its ValueError, TypeError, OverflowError, DataError and IntegrityError are written for
people and name arguments, columns and values of the caller's own: they may be passed
on. No other exception is.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator

from ..._core import DataError, Error, IntegrityError, NotSupportedError, SchemaError
from ..refused import Refused

# "select(): there is ...", "period: expected ...", "start= is after ...", "to[0]: ..."
CALL = re.compile(r"\w+\(\):? ")
NAME = re.compile(r"(\w+)(\[\d+\])?(: |=)")
ROW = re.compile(r"row (\d+): ")


@contextlib.contextmanager
def reading(names: Collection[str]) -> Iterator[None]:
    """Around one call that reads; `names` are the parameters that it may complain of.

    Each of them was good by itself: what is refused here is how they go together, or
    with the data.
    """
    try:
        yield
    except (ValueError, TypeError, OverflowError) as error:
        text = CALL.sub("", str(error), count=1)
        found = NAME.match(text)
        param = found[1] if found and found[1] in names else None
        code = "bad_token" if param == "after" else "bad_combination"
        text = text.replace("next_token", "next") if param == "after" else text
        raise Refused(400, code, text, param) from None


@contextlib.contextmanager
def writing(table: str) -> Iterator[None]:
    """Around one call that writes to that table."""
    try:
        yield
    except IntegrityError as error:
        raise refused(409, "conflict", error, table) from None
    except (ValueError, TypeError, OverflowError, DataError) as error:
        raise refused(422, "bad_value", error, table) from None
    except (SchemaError, NotSupportedError):
        text = "the tables of this file cannot be written as they are"
        raise Refused(409, "unwritable", text) from None


def refused(status: int, code: str, error: Exception, table: str) -> Refused:
    text = CALL.sub("", str(error), count=1)
    row, column = ROW.match(text), None
    text = ROW.sub("", text, count=1)
    if isinstance(error, Error):
        column = error.column
    else:
        named = NAME.match(text.removeprefix(f"{table}."))
        column = named[1] if named else None
    return in_row(status, code, text, table, column, int(row[1]) if row else None)


def in_row(
    status: int, code: str, text: str, table: str, column: str | None, row: int | None
) -> Refused:
    place = {"table": table, "column": column, "row": row}
    return Refused(status, code, text, None, place=place)
