"""What can be set for the web side: SMARTSHOPIE_* in app.config or the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

PREFIX = "SMARTSHOPIE_"
ORIGIN = r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.-]+(:[0-9]{1,5})?"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
SHORTEST_TOKEN = 16  # characters: 128 bits, when a character has 8


@dataclass(frozen=True)
class Settings:
    """Each field NAME is the setting SMARTSHOPIE_NAME."""

    db: str = "smartshopie_dashboard.db"  # the file
    url_prefix: str = ""  # where the pages and /api begin, as "/shop"
    title: str = "Shop assistant"  # what the page is called
    currency: str | None = None  # an ISO code, as "EUR"; files do not say
    hosts: tuple[str, ...] = LOOPBACK  # names by which the server may be called
    origins: tuple[str, ...] = ()  # of other sites whose scripts may read /api
    writes: bool = False  # may /api/v1 write at all
    token: str | None = None  # who writes must show it
    token_file: str | None = None  # where it is read from instead
    metrics: bool = True  # is there /metrics
    streams: int = 2  # event streams held open at once: each keeps a thread busy
    timeout: float = 2.0  # seconds for one question to the database
    max_body: int = 1 << 20  # bytes of a request body
    max_bulk: int = 32 << 20  # bytes of the body of a bulk write
    max_rows: int = 1000  # of one page of /api/v1

    def __post_init__(self) -> None:
        if self.url_prefix and (
            not self.url_prefix.startswith("/") or self.url_prefix.endswith("/")
        ):
            raise ValueError(
                f"{PREFIX}URL_PREFIX begins with a slash and ends without one,"
                f" as '/shop'; got {self.url_prefix!r}"
            )
        if self.writes and not self.token:
            raise ValueError(
                f"{PREFIX}WRITES needs {PREFIX}TOKEN or {PREFIX}TOKEN_FILE"
            )
        if self.token and len(self.token) < SHORTEST_TOKEN:
            raise ValueError(
                f"{PREFIX}TOKEN needs at least {SHORTEST_TOKEN} characters, as from"
                " python -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        # Flask-Cors takes other signs for a pattern, which allows more than it says.
        for origin in self.origins:
            if not re.fullmatch(ORIGIN, origin):
                raise ValueError(
                    f"{PREFIX}ORIGINS names each origin as https://shop.example;"
                    f" {origin!r} is not one"
                )


def read(config: Mapping[str, Any]) -> Settings:
    """The settings of an app: its config, and then the environment.

    Raises ValueError that names the setting for an unknown name or a bad value.
    """
    known = {field.name: field for field in fields(Settings)}
    given = {
        name[len(PREFIX) :].lower(): value
        for source in (environment(), config)
        for name, value in source.items()
        if name.startswith(PREFIX)
    }
    unknown = sorted(set(given) - set(known))
    if unknown:
        names = ", ".join(PREFIX + name.upper() for name in known)
        raise ValueError(
            f"there is no setting {PREFIX}{unknown[0].upper()}; there are {names}"
        )
    values = {
        name: convert(PREFIX + name.upper(), value, getattr(Settings, name))
        for name, value in given.items()
    }
    path = values.get("token_file")
    if path:
        with open(path, encoding="utf-8") as file:
            values["token"] = file.read().strip()
    return Settings(**values)


def environment() -> dict[str, str]:
    """What of the environment is meant for us: the core has SMARTSHOPIE_DB_* words of
    its own for building."""
    names = {PREFIX + field.name.upper() for field in fields(Settings)}
    return {name: value for name, value in os.environ.items() if name in names}


def convert(name: str, value: Any, default: Any) -> Any:
    """A setting as its type: the environment has text only."""
    if isinstance(default, bool):
        return flag(name, value)
    if isinstance(default, tuple):
        return tuple(words(value))
    if isinstance(default, int | float) and value is not None:
        try:
            number = type(default)(value)
        except (TypeError, ValueError):
            number = -1
        if number < 0:
            raise ValueError(f"{name} is a number from 0 up; got {value!r}")
        return number
    return os.fspath(value) if value else value


def flag(name: str, value: Any) -> bool:
    text = str(value).lower()
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("", "0", "false", "no", "off", "none"):
        return False
    raise ValueError(f"{name} is on or off; got {value!r}")


def words(value: str | Iterable[str]) -> list[str]:
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return [str(word) for word in value]
