"""JSON for Flask: rows, records, dates and NaN as a browser can read them.

All of it is written in C, and rows and records without making a Python object of their
cells.  Secret columns show their last four characters.
"""

from __future__ import annotations

import datetime
import decimal
import json
from typing import Any

from flask import Response
from flask.json.provider import DefaultJSONProvider

from .._core import Record, Rows, _to_json


def encode(value: Any) -> bytes:
    """`value` as UTF-8 JSON (RFC 8259): NaN and infinities are null, dates ISO 8601."""
    return _to_json(value, default=plain, redact=True)


def plain(value: Any) -> Any:
    """What has no JSON of its own, as something that has."""
    if isinstance(value, datetime.date):  # an instant is one as well
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError(f"there is no JSON for {type(value).__name__}")


class JSONProvider(DefaultJSONProvider):
    """`app.json = JSONProvider(app)`: jsonify() and returned dicts may hold rows,
    records, dates, instants and NaN."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        if kwargs:  # somebody's own layout, as the debugger's or a template's
            kwargs.setdefault("default", whole)
            return json.dumps(obj, **kwargs)
        return encode(obj).decode()

    def response(self, *args: Any, **kwargs: Any) -> Response:
        value = self._prepare_response_obj(args, kwargs)
        return Response(encode(value) + b"\n", mimetype=self.mimetype)


def whole(value: Any) -> Any:
    """As `plain`, with rows as lists and records as dicts."""
    if isinstance(value, Rows | Record):
        return json.loads(value.to_json(redact=True))
    return plain(value)
