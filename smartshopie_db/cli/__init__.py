"""The program `smartshopie`: a dashboard database from a shell.

Data goes to stdout, talk to stderr. Exit codes: 0 done; 1 it failed, the database
refused it, or `check` found an error; 2 what was given is wrong: the command line, a
value, what a file holds; 130 stopped by Ctrl-C.

main() loads what a verb needs only when that verb runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (argparse ends with SystemExit 2)."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    open_streams()
    debug = "--debug" in words
    try:
        code = run(words)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Who reads our output has gone (`... | head`): nobody is left to tell.
        finish_output()
        return FAILED
    except KeyboardInterrupt:
        if debug:
            raise
        print("smartshopie: stopped; what was not finished is undone", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        finish_output()
        if debug:
            raise
        return explain(error)


def run(words: Sequence[str]) -> int:
    if words in (["--version"], ["-V"]):
        from .._core import __version__

        print(f"smartshopie {__version__}")
        return OK
    from .parser import parse

    try:
        parsed = parse(words)
    except SystemExit:  # argparse has said what it had to
        sys.stdout.flush()
        raise
    return int(parsed.run(parsed) or OK)


def open_streams() -> None:
    """A closed one (`>&-`) is None in Python; now nobody reads it, and that is all. A
    terminal that is not UTF-8 shows what it lacks as an escape, as stderr does."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def finish_output() -> None:
    """What was printed before an error is printed. Where that fails, it goes nowhere:
    the interpreter tries once more at its exit, and would say so."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def explain(error: Exception) -> int:
    """Say what went wrong in one line; the exit code for it."""
    from .._core import Error
    from .output import plain

    text = plain(str(error)) or type(error).__name__
    if isinstance(error, OSError) and error.filename and error.strerror:
        text = plain(f"{os.fsdecode(error.filename)}: {error.strerror}")
    text = text.replace("strict=False", "--lenient")  # as a shell says it
    wrong = (TypeError, ValueError, KeyError, OverflowError)
    if isinstance(error, wrong) and not isinstance(error, UnicodeError):
        code = USAGE
    elif isinstance(error, (Error, OSError, ImportError, UnicodeError)):
        code = FAILED
    else:
        text = f"{type(error).__name__}: {text} (--debug shows where)"
        code = FAILED
    print(f"smartshopie: {text}", file=sys.stderr)
    return code
