"""The examples of docs/periods.md, plots.md and http.md run; the command lines of
docs/cli.md parse."""

import re
import shlex

from schema_facts import ROOT

from smartshopie_db.cli import completion, parser
from smartshopie_db.plots import PLOTS
from smartshopie_db.reports import REPORTS

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(name):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return [(found[1], found[2]) for found in FENCED.finditer(text)]


def test_the_examples_of_periods_hold():
    namespace = {}
    found = [text for language, text in blocks("periods.md") if language == "python"]
    assert len(found) >= 8
    for text in found:
        exec(compile(text, "docs/periods.md", "exec"), namespace)


def test_the_examples_of_plots_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    found = [text for language, text in blocks("plots.md") if language == "python"]
    assert len(found) == 3
    for text in found:
        exec(compile(text, "docs/plots.md", "exec"), namespace)


def test_the_examples_of_http_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = [text for language, text in blocks("http.md") if language == "python"]
    assert found
    for text in found:
        exec(compile(text, "docs/http.md", "exec"), {})


def test_every_route_is_told_once():
    text = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([\w/-]+)` \| ", text, re.MULTILINE)
    assert sorted(name for name in listed if name in REPORTS) == sorted(REPORTS)


def test_plots_are_listed_in_their_order():
    text = (ROOT / "docs" / "plots.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.MULTILINE)
    assert listed == [(plot.name, plot.area) for plot in PLOTS.values()]


def test_the_command_lines_of_cli_parse():
    verbs = set()
    for _, text in blocks("cli.md"):
        for line in text.splitlines():
            if "smartshopie " not in line:
                continue
            words = line.partition("smartshopie ")[2].split("<")[0].split(">")[0]
            words = shlex.split(words)
            verbs.add(words[0])
            assert parser.parse(words).run
    assert verbs == set(completion.words())
