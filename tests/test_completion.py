"""The completion scripts, in the shells that they are for."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest
import schema_facts

from smartshopie_db.cli import main

TABLES = list(schema_facts.TABLES)
VERBS = {"init", "get", "series", "import", "completion"}  # some of them


@pytest.fixture(params=["bash", "zsh", "fish"])
def complete(request, tmp_path, capsys, monkeypatch):
    """A function: what the shell offers for the last of the words."""
    shell = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert main(["completion", shell]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "series.csv").touch()
    return lambda *words: globals()[f"in_{shell}"](script, *words)


def run(shell, code):
    done = subprocess.run(
        [shell, *(("-N",) if shell == "fish" else ()), "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def in_bash(script, *words):
    typed = " ".join(f"'{word}'" for word in ("smartshopie", *words))
    return run(
        "bash",
        f"source {script}\nCOMP_WORDS=({typed}) COMP_CWORD={len(words)}\n"
        '_smartshopie\nprintf "%s\\n" "${COMPREPLY[@]}"\n',
    )


def in_fish(script, *words):
    line = " ".join(("smartshopie", *words))
    return run("fish", f"source {script}; complete -C '{line}'")


def in_zsh(script, *words):
    """What stands after the tabulator; zsh completes on a terminal only."""
    pid, terminal = pty.fork()
    if pid == 0:
        env = {"PATH": os.environ["PATH"], "TERM": "dumb", "COLUMNS": "200"}
        os.execvpe("zsh", ["zsh", "-f", "-i"], env)
    try:
        os.write(
            terminal,
            b"autoload -Uz compinit; compinit -D; setopt no_beep; PS1='> '; LISTMAX=999"
            b"; bindkey '^I' list-choices; source %s; echo rea''dy\n"
            % os.fsencode(script),
        )
        read_until(terminal, rb"\nready\r\n[^>]*> ")
        line = " ".join(("smartshopie", *words))
        os.write(terminal, line.encode() + b"\t\x15echo do''ne\n")
        shown = read_until(terminal, rb"\ndone\r\n").decode()
    finally:
        os.write(terminal, b"\x15exit\n")
        os.waitpid(pid, 0)
        os.close(terminal)
    return shown.partition("\r\n")[2].partition("\r\n> smartshopie")[0].split()


def read_until(terminal, pattern, seconds=20):
    told, until = b"", time.monotonic() + seconds
    while not re.search(pattern, told):
        assert select.select([terminal], [], [], until - time.monotonic())[0], told
        told += os.read(terminal, 65536)
    return told


def test_verbs(complete):
    assert set(complete("")) > VERBS
    assert complete("seri") == ["series"]


def test_tables_and_options_of_a_verb(complete):
    assert complete("get", "overview") == ["overview_kpis"]
    assert set(TABLES) < set(complete("get", "")) | {"series.csv"}
    assert complete("import", "--dry") == ["--dry-run"]
    assert "--fix" in complete("check", "--")
    assert "--fix" not in complete("get", "--")


def test_words_of_arguments(complete):
    assert {"bash", "zsh", "fish"} <= set(complete("completion", ""))
    assert {"day", "week", "month", "quarter", "year"} <= set(
        complete("series", "overview_kpis", "--every", "")
    )
    assert complete("import", "x.csv", "--on-conflict", "ig") == ["ignore"]
