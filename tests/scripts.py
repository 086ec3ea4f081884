"""Runs a piece of Python in a process of its own, as code that may end one has to."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import smartshopie_db

PACKAGE = Path(smartshopie_db.__file__).parents[1]
BEFORE = """
import contextlib, ctypes, datetime, gc, os, signal, sys, threading, time, warnings
from smartshopie_db import *
PATH = sys.argv[1]
START = datetime.datetime(2025, 1, 1)
SLOW = ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
        "SELECT max(x) FROM c")
def minute(n):
    return START + datetime.timedelta(minutes=n)
def add(db, n):
    return db.add_realtime_metric(recorded_at=minute(n), active_sessions=n)
def numbers(db):
    return [row.active_sessions for row in db.realtime_metrics.select()]
def raises(error, call):
    try:
        call()
    except error as caught:
        return caught
    raise AssertionError(f"{error} was not raised")
def in_child(work):
    "Fork; the child ends with 0 when work() did."
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid
def ended(pid):
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the child ended with status {status}"
"""


def command(code, *arguments):
    text = BEFORE + textwrap.dedent(code)
    options = ("-X", "faulthandler", "-W", "error", "-c", text)
    return [sys.executable, *options, *map(str, arguments)]


def environment():
    """Of the same package that this process has imported."""
    paths = [str(PACKAGE), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def start(code, *arguments, **options):
    return subprocess.Popen(
        command(code, *arguments),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def finish(process, timeout=30, returncode=0):
    """What it printed; fails when it ended otherwise or complained."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # faulthandler says where it hangs
        time.sleep(1)
        os.killpg(process.pid, signal.SIGKILL)  # and its children
        out, err = process.communicate()
    assert (process.returncode, err) == (returncode, ""), err
    return out


def run(code, *arguments, timeout=30, returncode=0, **options):
    return finish(start(code, *arguments, **options), timeout, returncode)
