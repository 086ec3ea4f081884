"""Runs the program `smartshopie` in a process of its own."""

import os
import subprocess
import sys

import scripts


def command(*words):
    return [sys.executable, "-m", "smartshopie_db", *map(str, words)]


def environment(**more):
    given = scripts.environment() | {"PYTHONUTF8": "1"} | more
    given.pop("PYTHONUNBUFFERED", None)
    given.pop("SMARTSHOPIE_DB", None) if "SMARTSHOPIE_DB" not in more else None
    return given


def run(*words, stdin=b"", code=0, folder=None, timeout=60, **more):
    """(stdout, stderr) as text."""
    done = subprocess.run(
        command(*words),
        input=stdin,
        capture_output=True,
        cwd=folder,
        env=environment(**more),
        timeout=timeout,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, (done.returncode, out, err)
    assert "Traceback" not in err
    return out, err


def start(*words, **options):
    return subprocess.Popen(
        command(*words), env=environment(), start_new_session=True, **options
    )


def on_terminal(*words, without_rich=False):
    """(stdout, what a terminal shows on stderr) of a process whose stderr is one."""
    import pty

    master, slave = pty.openpty()
    words = command(*words)
    if without_rich:
        code = (
            "import sys; sys.modules['rich'] = None\n"
            "from smartshopie_db.cli import main, progress\n"
            "progress.EVERY_SECONDS = 0\n"
            "sys.exit(main())"
        )
        words = [sys.executable, "-c", code, *words[3:]]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=slave, env=environment(TERM="xterm")
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end has gone: that is how a terminal says it
            break
        if not part:
            break
        shown += part
    os.close(master)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, shown
    return out.decode(), shown.decode()
