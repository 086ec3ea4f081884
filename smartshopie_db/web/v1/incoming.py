"""Request bodies: JSON objects, and many rows as a JSON list, NDJSON or CSV.

Rows are read one by one, so a body of any size takes little memory. A row is flat: what
is deeper than its cells is refused.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator
from typing import IO, Any

from flask import request

from ..params import nearest
from ..refused import Refused
from . import errors
from .known import Known
from .receiving import received

CHUNK = 1 << 16  # bytes read at a time
LONGEST = 1 << 18  # characters of one row
MOST = 500_000  # rows of one request
SECONDS = 10.0  # in which a body comes
BULK_SECONDS = 60.0  # and one of many rows
Row = dict[str, Any]


def content_type(*allowed: str) -> str:
    """That of the request; 415 when it is none of those."""
    kind = request.mimetype
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if kind not in allowed or charset not in ("utf-8", "utf8"):
        raise Refused(
            415, "unsupported_media_type", f"the body has to be {' or '.join(allowed)}"
            " in UTF-8, and the header Content-Type to say so",
        )  # fmt: skip
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused(415, "unsupported_media_type", "the body has to be uncompressed")
    return kind


def one() -> Row:
    """The body as one JSON object."""
    content_type("application/json")
    with received(SECONDS) as file:
        data = file.read()
    try:
        text = data.decode()
        value, end = DECODER.raw_decode(text, skip_space(text, 0))
    except (ValueError, RecursionError) as error:
        raise no_json(error) from None
    if skip_space(text, end) != len(text):
        raise Refused(400, "bad_json", "there is more behind the JSON")
    return flat(value)


def rows(known: Known) -> Iterator[Row]:
    """The rows of a bulk body, typed; the first bad one is refused by its number."""
    kind = content_type(*READERS)
    cells = known.cells if kind == "text/csv" else known.strict
    if kind in LINES and request.headers.get("Transfer-Encoding"):
        text = "the header Content-Length is needed: else half a body looks whole"
        raise Refused(411, "length_required", text)
    file = received(BULK_SECONDS)
    return counted(file, READERS[kind](file, known), known, cells)


def counted(
    file: IO[bytes], found: Iterator[Row], known: Known, cells: Any
) -> Iterator[Row]:
    with file:
        for number, row in enumerate(found):
            if number >= MOST:
                raise Refused(413, "too_large", f"at most {MOST} rows at a time")
            yield typed(known, row, cells, number)


def typed(known: Known, row: Row, cells: Any, number: int | None = None) -> Row:
    """The cells of a row by the types and ranges of their columns; 422 otherwise."""
    found = {}
    for name, value in row.items():
        if name not in cells:
            raise no_column(known, name, number)
        try:
            found[name] = cells[name](value)
            if found[name] is None and name in known.filled:
                raise ValueError("is required")
            if name == "id" and (found[name] or 0) > LAST_ID:
                raise ValueError(f"at most {LAST_ID}: others come after it")
        except ValueError as error:
            text = f"{name}: {error}"
            raise errors.in_row(
                422, "bad_value", text, known.name, name, number
            ) from None
    return found


def no_column(known: Known, name: str, number: int | None) -> Refused:
    shown = name[:LONGEST_NAME]
    text = f"{known.name} has no column {shown!r}{nearest(name, known.columns)}"
    return errors.in_row(422, "bad_value", text, known.name, shown, number)


LAST_ID = 2**53 - 1  # with the last there is, a table would never take a row again
LONGEST_NAME = 100  # characters of a column's name in a message


# ---- JSON ----------------------------------------------------------------------------


def pairs(items: list[tuple[str, Any]]) -> Row:
    found = dict(items)
    if len(found) < len(items):
        raise ValueError("a name stands twice in one object")
    return found


def no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


DECODER = json.JSONDecoder(object_pairs_hook=pairs, parse_constant=no_number)


def no_json(error: Exception, number: int | None = None) -> Refused:
    place = "" if number is None else f"row {number}: "
    if isinstance(error, RecursionError):
        why = "it is too deep"
    elif isinstance(error, UnicodeDecodeError):
        why = "it is not UTF-8"
    elif isinstance(error, json.JSONDecodeError):
        why = f"{error.msg} at character {error.pos}"
    else:
        why = str(error)[:200]
    return Refused(400, "bad_json", f"{place}no JSON: {why}")


def flat(value: Any, number: int | None = None) -> Row:
    place = "" if number is None else f"row {number}: "
    if not isinstance(value, dict):
        raise Refused(400, "bad_json", f"{place}expected an object {{...}}")
    for name, cell in value.items():
        if isinstance(cell, dict | list):
            shown = name[:LONGEST_NAME]
            raise Refused(400, "bad_json", f"{place}{shown}: a cell is a plain value")
    return value


SPACE = " \t\r\n"


def skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in SPACE:
        at += 1
    return at


class Text:
    """A stream of UTF-8, of which as much is in memory as one row takes."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.text, self.at, self.ended = "", 0, False

    def more(self) -> bool:
        """Read on; False at the end."""
        if self.ended:
            return False
        data = self.file.read(CHUNK)
        self.ended = not data
        try:
            self.text = self.text[self.at :] + self.decoder.decode(data, self.ended)
        except UnicodeDecodeError as error:
            raise no_json(error) from None
        self.at = 0
        return True

    def peek(self) -> str:
        """The next character that is no space, or nothing at the end."""
        while True:
            self.at = skip_space(self.text, self.at)
            if self.at < len(self.text) or not self.more():
                return self.text[self.at : self.at + 1]

    def take(self, wanted: str, number: int) -> str:
        """The next character, one of those wanted."""
        found = self.peek()
        if not found or found not in wanted:
            expected = " or ".join(f"'{c}'" for c in wanted)
            raise Refused(400, "bad_json", f"expected {expected} before row {number}")
        self.at += 1
        return found

    def object(self, number: int) -> Row:
        """The object that begins here. One that has begun is only whole with its
        brace, so a part of it is never taken for it."""
        if self.peek() != "{":
            raise Refused(400, "bad_json", f"row {number}: expected an object {{...}}")
        while True:
            try:
                value, end = DECODER.raw_decode(self.text, self.at)
                if end - self.at > LONGEST:
                    raise too_long(number)
                self.at = end
                return flat(value, number)
            except json.JSONDecodeError as error:
                failure = error
            except (ValueError, RecursionError) as error:
                raise no_json(error, number) from None
            if len(self.text) - self.at > LONGEST:
                raise too_long(number)
            if not self.more():
                raise no_json(failure, number)


def too_long(number: int) -> Refused:
    return Refused(413, "too_large", f"row {number} has more than {LONGEST} characters")


def read_json(file: IO[bytes], known: Known) -> Iterator[Row]:
    text = Text(file)
    text.take("[", 0)
    number = 0
    if text.peek() != "]":
        while True:
            yield text.object(number)
            number += 1
            if text.take(",]", number) == "]":
                break
    else:
        text.take("]", 0)
    if text.peek():
        raise Refused(400, "bad_json", "there is more behind the list")


# ---- lines ---------------------------------------------------------------------------


def lines(file: IO[bytes]) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise too_long(number)
        try:
            yield line.decode("utf-8-sig" if number == 0 else "utf-8")
        except UnicodeDecodeError as error:
            raise Refused(400, "bad_text", f"line {number + 1} is not UTF-8") from error
        number += 1


def read_ndjson(file: IO[bytes], known: Known) -> Iterator[Row]:
    number = 0
    for line in lines(file):
        if not line.strip(SPACE):
            continue
        try:
            value = DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            raise no_json(error, number) from None
        yield flat(value, number)
        number += 1


def read_csv(file: IO[bytes], known: Known) -> Iterator[Row]:
    reader = csv.reader(lines(file), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        if not head or "" in head or len(set(head)) < len(head):
            text = "the first line names the columns, each once"
            raise Refused(400, "bad_csv", text)
        for name in head:
            if name not in known.columns:
                raise no_column(known, name, None)
        for number, cells in enumerate(filter(None, reader)):
            if len(cells) != len(head):
                text = (
                    f"row {number} has {len(cells)} cells, the first line {len(head)}"
                )
                raise Refused(400, "bad_csv", text)
            yield dict(zip(head, cells, strict=True))
    except csv.Error as error:
        text = f"line {reader.line_num}: {error}"
        raise Refused(400, "bad_csv", text) from None


LINES = ("application/x-ndjson", "text/csv")  # whose end does not show
READERS: dict[str, Callable[[IO[bytes], Known], Iterator[Row]]] = {
    "application/json": read_json,
    "application/x-ndjson": read_ndjson,
    "text/csv": read_csv,
}
