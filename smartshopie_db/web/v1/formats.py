"""Rows in the form that the caller wants: ?format= or the header Accept."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from flask import Response, request

from ..._core import Rows
from ..answers import Body, kept
from ..jsons import encode
from ..params import choice
from ..refused import Refused

TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
}
BY_TYPE = {kind.partition(";")[0]: name for name, kind in TYPES.items()}
parse = choice(*TYPES)


def wanted(given: str | None, allowed: Sequence[str] = tuple(TYPES)) -> str:
    """The form to answer in, one of TYPES; 406 when there is none that is accepted."""
    if given is not None:
        return choice(*allowed)("format", given)
    if not request.accept_mimetypes:
        return allowed[0]
    types = [TYPES[name].partition(";")[0] for name in allowed]
    found = request.accept_mimetypes.best_match(types)
    if found is None:
        text = f"there is no such form; there are {', '.join(types)}"
        raise Refused(406, "not_acceptable", text)
    return BY_TYPE[found]


def answer(key: Any, make: Any) -> Response:
    """As answers.kept, of something that has several forms."""
    response = kept(key, make)
    response.vary.add("Accept")
    return response


def body(
    rows: Rows[Any],
    form: str,
    name: str,
    secret: Sequence[str],
    head: dict[str, Any],
    tail: dict[str, Any],
    headers: tuple[tuple[str, str], ...] = (),
) -> Body:
    """The rows as bytes: JSON with what `head` and `tail` have around them."""
    if form == "json":
        prefix, suffix = around(head, tail)
        data = rows.to_json(redact=True, prefix=prefix, suffix=suffix)
    elif form == "csv":
        data = rows.to_csv(formulas="defuse", redact=True)
    elif form == "ndjson":
        data = rows.to_ndjson(redact=True)
    else:
        data = arrow(rows, secret)
    if form != "json":
        disposition = f'attachment; filename="{name}.{form}"'
        headers = (*headers, ("Content-Disposition", disposition))
    return Body(data, TYPES[form], headers=headers)


def around(head: dict[str, Any], tail: dict[str, Any]) -> tuple[bytes, bytes]:
    """What stands before and behind the value of "data" in the envelope."""
    prefix = encode({"success": True, **head})[:-1] + b',"data":'
    return prefix, (b"," + encode(tail)[1:] if tail else b"}")


def arrow(rows: Rows[Any], secret: Sequence[str]) -> bytes:
    """The rows as an Arrow IPC stream."""
    if any(name in secret for name in rows.columns):
        # Its columns go out as they are, and there is no place to shorten them.
        raise Refused(
            406, "not_acceptable", f"no Arrow for secret columns: leave out"
            f" {', '.join(secret)} with columns="
        )  # fmt: skip
    try:
        import pyarrow
    except ModuleNotFoundError:
        return small_arrow(rows)
    reader = pyarrow.RecordBatchReader.from_stream(rows)
    sink = io.BytesIO()
    with pyarrow.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    return sink.getvalue()


def small_arrow(rows: Rows[Any]) -> bytes:
    try:
        from nanoarrow.ipc import StreamWriter
    except ModuleNotFoundError:
        raise Refused(
            406, "not_acceptable", "this server writes no Arrow: pip install pyarrow"
        ) from None
    sink = io.BytesIO()
    with StreamWriter.from_writable(sink) as writer:
        writer.write_stream(rows)
    return sink.getvalue()
