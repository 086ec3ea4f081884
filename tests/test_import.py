"""`smartshopie import`: what is refused, how that is said, that nothing is written."""

import contextlib
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import time

import command
import pytest
import soak

from smartshopie_db import SmartShopieDB
from smartshopie_db.cli import main

HEAD = "record_date,total_customers,conversion_rate\n"


@pytest.fixture
def load(path, tmp_path, capsys, monkeypatch):
    """Import a file of that content; (code, what was said, rows in the table)."""
    monkeypatch.chdir(tmp_path)

    def load(content, *words, name="overview_kpis.csv", table="overview_kpis"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        code = main(["import", name, "--db", str(path), *words])
        said = capsys.readouterr()
        assert said.out == "" and "Traceback" not in said.err
        with SmartShopieDB(path, mode="ro") as db:
            return code, said.err, db.tables[table].select().to_dicts()

    return load


def days(rows):
    return [str(row["record_date"]) for row in rows]


def test_good_rows_are_added_and_counted(load):
    code, said, rows = load(HEAD + "2025-01-01,10,2.5\n2025-01-02,,\n")
    assert code == 0
    assert "overview_kpis.csv: overview_kpis: 2 added, 0 updated" in said
    assert [row["total_customers"] for row in rows] == [10, None]
    assert rows[0]["conversion_rate"] == 2.5


def test_a_whole_number_may_have_decimals_that_are_no_thousands(load):
    """pandas writes a column of integers so when one of them is missing."""
    rows = [f"2025-01-0{i},{text},\n" for i, text in enumerate(("5.0", "0.000"), 1)]
    _, _, got = load(HEAD + "".join(rows) + "2025-01-03,1234.000,\n")
    assert [row["total_customers"] for row in got] == [5, 0, 1234]


def test_running_it_again_changes_nothing(load):
    content = HEAD + "2025-01-01,10,2.5\n2025-01-02,11,\n"
    _, _, before = load(content)
    code, said, after = load(content)
    assert code == 0 and "0 added, 2 updated" in said
    assert after == before


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + HEAD + "2025-01-01,10,2.5\n",
        (HEAD + "2025-01-01,10,2.5\n").replace("\n", "\r\n"),
        HEAD + "2025-01-01,10,2.5",
        HEAD + "\n2025-01-01, 10 ,2.5\n\n",
        HEAD + '"2025-01-01","10","2.5"\n',
        "record_date , total_customers,conversion_rate\n2025-01-01,10.0,25e-1\n",
    ],
    ids=["BOM", "CRLF", "no last newline", "blank lines", "quoted", "spaces"],
)
def test_forms_of_csv(load, content):
    code, said, rows = load(content)
    assert code == 0, said
    assert days(rows) == ["2025-01-01"]
    assert rows[0]["total_customers"] == 10 and rows[0]["conversion_rate"] == 2.5


def test_quoted_newlines_stay_and_lines_are_counted_right(load):
    head = "title,message,level\n"
    code, _, rows = load(
        head + 'a,"one\ntwo, ""three""\r\n",info\n',
        name="usage_alerts.csv",
        table="usage_alerts",
    )
    assert code == 0 and rows[0]["message"] == 'one\ntwo, "three"\r\n'
    code, said, _ = load(
        head + 'b,"one\ntwo\nthree",info\n,"x\ny",info\n',
        name="usage_alerts.csv",
        table="usage_alerts",
    )
    assert code == 2 and "usage_alerts.csv:5, title: is required" in said


def test_another_delimiter(load):
    content = (HEAD + "2025-01-01,10,2.5\n").replace(",", ";")
    assert load(content, "--delimiter", ";")[0] == 0
    assert load(content.replace(";", "\t"), name="overview_kpis.TSV")[0] == 0
    code, said, _ = load(content, "--delimiter", ";;")
    assert code == 2 and "one character" in said


BAD = [
    ("2025-01-01,10,\"3,5\"", "conversion_rate: expected a number, got '3,5'"
     "; decimals need a point: 3.5"),
    ("2025-01-01,10,\"1.234,5\"", "decimals need a point: 1234.5"),
    ("2025-01-01,\"1,234,567\",", "without commas: 1234567"),
    ("2025-01-01,\"1,200\",", "total_customers: expected an integer, got '1,200'; "),
    ("2025-01-01,10,$4", "conversion_rate: expected a number, got '$4'; write the"),
    ("2025-01-01,1.000,", "got '1.000'; write it without points: 1000"),
    ("2025-01-01,12.000.000,", "write it without points: 12000000"),
    ("2025-01-01,1.5,", "total_customers: expected an integer, got '1.5'"),
    ("2025-01-01,-1,", "total_customers: expected 0 or more, got '-1'"),
    ("2025-01-01,,100.5", "conversion_rate: expected 0 to 100, got '100.5'"),
    ("2025-01-01,1_000,", "total_customers: expected an integer, got '1_000'"),
    ("2025-01-01,9223372036854775808,", "total_customers: expected an integer"),
    ("2025-01-01,,nan", "conversion_rate: expected a number, got 'nan'"),
    ("2025-01-01,,1e999", "conversion_rate: expected a number, got '1e999'"),
    ("2025-01-01,\N{ARABIC-INDIC DIGIT THREE},", "total_customers: expected an"),
    ("01.02.2025,1,", "record_date: expected a day as YYYY-MM-DD, got '01.02.2025'"
     "; write 2025-02-01"),
    ("01/02/2025,1,", "day and month cannot be told apart"),
    ("2025-02-30,1,", "record_date: expected a day as YYYY-MM-DD, got '2025-02-30'"),
    ("20250101,1,", "record_date: expected a day as YYYY-MM-DD, got '20250101'"),
    (",1,", "record_date: is required"),
    ("2025-01-01,1", "2 cells, but the first line names 3"),
    ("2025-01-01,1,2,3", "4 cells, but the first line names 3"),
    ("2025-01-01," + "9" * 100_000 + ",", "... (100,000 characters)"),
]  # fmt: skip


@pytest.mark.parametrize("line, why", BAD, ids=range(len(BAD)))
def test_a_bad_cell_is_said_and_nothing_written(load, line, why):
    code, said, rows = load(HEAD + "2024-12-31,1,1\n" + line + "\n")
    assert (code, rows) == (2, [])
    first, last = said.splitlines()
    assert first.startswith("overview_kpis.csv:3") and why in first
    assert len(first) < 200
    assert last == "1 bad cells or rows; nothing was written"


def test_every_bad_cell_is_said_up_to_the_most(load):
    content = HEAD + "2025-01-01,x,y\n2025-01-02,1,1\n2025-01-03,1,z\n"
    code, said, rows = load(content)
    assert (code, rows) == (2, [])
    assert [line.split(": ")[0] for line in said.splitlines()[:-1]] == [
        "overview_kpis.csv:2, total_customers",
        "overview_kpis.csv:2, conversion_rate",
        "overview_kpis.csv:4, conversion_rate",
    ]
    code, said, _ = load(content, "--max-errors", "2")
    assert code == 2 and "stopped after 2 errors" in said and ":4" not in said
    assert load(content, "--max-errors", "0")[0] == 2


@pytest.mark.parametrize(
    "head, why",
    [
        ("", "the file is empty"),
        ("record_date,record_date\n", "names 'record_date' twice"),
        ("record_date,,x\n", "no name for column 2"),
        ("record_date;total_customers\n1;2\n", "try --delimiter ';'"),
        ("record_date\ttotal_customers\n2025-01-01\t1\n", "try --delimiter tab"),
        ("record_date,totl_customers\n2025-01-01,1\n", "csv:1: overview_kpis has no"),
        ("record_date,totl_customers\n", "did you mean 'total_customers'"),
        ("total_customers\n1\n2\n", "csv:1: overview_kpis needs record_date"),
        ("record_date,total_customers\n".encode("utf-16-le"), "-f UTF-16LE"),
        ("record_date,total_customers\n".encode("utf-16-be"), "-f UTF-16BE"),
        ("record_date,total_customers\n".encode("utf-16"), "-f UTF-16 "),
        ('record_date\n"2025-01-01\n', "after line 1: unexpected end"),
    ],
)
def test_a_bad_first_line(load, head, why):
    code, said, rows = load(head)
    assert (code, rows, len(said.splitlines())) == (2, [], 1) and why in said
    assert said.count("overview_kpis.csv:") == 1


def test_a_file_that_is_not_there(path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["import", "nothing.csv", "--db", str(path)]) == 1
    assert capsys.readouterr().err == (
        "smartshopie: nothing.csv: No such file or directory\n"
    )


def test_what_only_the_database_refuses_has_its_line(load):
    head = "payment_date,description,amount,billing_id\n"
    code, said, rows = load(
        head + '2025-01-01,"two\nlines",1,\n2025-01-02,b,1,77\n',
        name="billing_payments.csv",
        table="billing_payments",
    )
    assert code == 1 and rows == []
    assert said.startswith("smartshopie: billing_payments.csv:4: ")
    assert "FOREIGN KEY" in said


def test_keys_there_already_with_on_conflict(load):
    load(HEAD + "2025-01-01,1,\n")
    again = HEAD + "2025-01-02,2,\n2025-01-01,9,\n"
    code, said, rows = load(again, "--on-conflict", "error")
    assert code == 1 and "overview_kpis.csv:3: " in said and len(rows) == 1
    code, said, rows = load(again, "--on-conflict", "ignore")
    assert code == 0 and "1 added, 0 updated, 1 left" in said
    assert rows[0]["total_customers"] == 1


def test_not_utf8_nul_and_an_unclosed_quote(load):
    code, said, rows = load((HEAD + "2025-01-01,1,\n").encode() + b"\xfc,1,1\n")
    assert (code, rows) == (2, []) and "not UTF-8 (byte 0xfc)" in said
    assert "iconv" in said
    code, said, rows = load(b"title\na\0b\n", name="usage_alerts.csv",
                            table="usage_alerts")  # fmt: skip
    assert len(said.splitlines()) == 1
    assert (code == 0) == (len(rows) == 1)  # kept whole, or refused
    assert not rows or rows[0]["title"] == "a\0b"
    code, said, rows = load(HEAD + '2025-01-01,"1,\n')
    assert (code, rows) == (2, []) and "overview_kpis.csv: after line" in said


def test_a_huge_cell_is_stored_whole(load):
    text = "x" * 3_000_000
    code, _, rows = load(
        f"title,message\na,{text}\n", name="usage_alerts.csv", table="usage_alerts"
    )
    assert code == 0 and rows[0]["message"] == text


def test_a_dry_run_checks_all_and_writes_nothing(load, path):
    code, said, rows = load(HEAD + "2025-01-01,1,\n", "--dry-run")
    assert (code, rows) == (0, []) and "dry run: nothing was written" in said
    assert "1 added" in said
    assert load(HEAD + "2025-01-01,x,\n", "--dry-run")[0] == 2


def test_several_files_all_or_none(load, tmp_path, path, capsys):
    (tmp_path / "usage_alerts.csv").write_text("title\nfirst\n")
    (tmp_path / "conversion_trends.csv").write_text("record_date\nx\n")
    words = ["import", "usage_alerts.csv", "conversion_trends.csv", "--db", str(path)]
    code, said, rows = load(HEAD + "2025-01-01,x,\n", *words[1:3])
    assert code == 2 and rows == []
    assert "overview_kpis.csv:2, total" in said and "conversion_trends.csv:2" in said
    with SmartShopieDB(path) as db:
        assert db.usage_alerts.count() == 0
    code, said, rows = load(HEAD + "2025-01-01,1,\n", "usage_alerts.csv")
    assert code == 0 and said.count("1 added") == 2


def test_what_others_refer_to_goes_first(load, tmp_path):
    (tmp_path / "billing_summary.csv").write_text(
        "id,billing_period_start,billing_period_end,plan_name\n"
        "7,2025-01-01,2025-01-31,Business\n"
    )
    code, said, rows = load(
        "payment_date,description,billing_id\n2025-01-31,a,7\n",
        "billing_summary.csv",
        name="billing_payments.csv",
        table="billing_payments",
    )
    assert code == 0, said
    assert rows[0]["billing_id"] == 7


def test_ndjson(load):
    lines = [
        {"record_date": "2025-01-01", "total_customers": 4, "conversion_rate": 2},
        {"record_date": "2025-01-02"},
    ]
    content = "\n".join(map(json.dumps, lines)) + "\n\n"
    code, said, rows = load(content, name="overview_kpis.ndjson")
    assert code == 0 and days(rows) == ["2025-01-01", "2025-01-02"]
    bad = content + '[1]\n{"record_date": true}\nnothing\n{"record_date": 5, "": 1}\n'
    code, said, _ = load(bad, name="overview_kpis.ndjson")
    assert code == 2 and "no column ''" in said
    bad = content + '[1]\n{"record_date": true}\nnothing\n'
    bad += '{"record_date": "2025-01-05", "total_customers": true}\n'
    bad += '{"record_date": "2025-01-05", "conversion_rate": NaN}\n'
    bad += '{"record_date": "2025-01-05", "conversion_rate": 1%s}\n' % ("0" * 400)
    code, said, _ = load(bad, name="overview_kpis.ndjson")
    assert code == 2
    assert [line.partition(": ")[0] for line in said.splitlines()[:-1]] == [
        "overview_kpis.ndjson:4",
        "overview_kpis.ndjson:5, record_date",
        "overview_kpis.ndjson:6",
        "overview_kpis.ndjson:7, total_customers",
        "overview_kpis.ndjson:8, conversion_rate",
        "overview_kpis.ndjson:9, conversion_rate",
    ]


def test_json(load):
    rows = [{"title": "a", "message": ""}, {"title": "b", "message": None}]
    code, _, found = load(json.dumps(rows), name="usage_alerts.json",
                          table="usage_alerts")  # fmt: skip
    assert code == 0 and [row["message"] for row in found] == ["", None]
    for content, why in (
        ("{", "no JSON"),
        ('{"a": 1}', "a list of objects"),
        ("", "no JSON"),
    ):
        code, said, _ = load(content, name="usage_alerts.json", table="usage_alerts")
        assert code == 2 and why in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("words", [["nothing.csv"], ["folder.csv"], ["x.pdf"], ["-"]])
def test_files_that_cannot_be_read(path, tmp_path, capsys, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    table = ["--table", "overview_kpis"] if words[0] != "x.pdf" else []
    code = main(["import", *words, *table, "--db", str(path)])
    said = capsys.readouterr().err
    assert code in (1, 2) and len(said.splitlines()) == 1
    assert words[0] in said


def test_stdin(path):
    out, err = command.run(
        "import", "-", "--table", "overview_kpis", "--format", "csv", "--db", path,
        stdin=(HEAD + "2025-01-01,1,\n").encode(),
    )  # fmt: skip
    assert out == "" and "-: overview_kpis: 1 added" in err


def test_parquet_and_feather_that_do_not_fit(path, tmp_path, capsys):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "overview_kpis.parquet"
    days = [datetime.date(2025, 1, 1)]
    for columns in (
        {"record_date": ["x"]},
        {"record_date": days, "total_customers": ["x"]},
        {"record_date": days, "total_customers": [1.5]},
        {"total_customers": [1]},
        {"record_date": days, "nothing": [1]},
    ):
        parquet.write_table(pyarrow.table(columns), file)
        assert main(["import", str(file), "--db", str(path)]) == 2
    file.write_bytes(b"nothing of that kind")
    assert main(["import", str(file), "--db", str(path)]) in (1, 2)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 6 and all("overview_kpis.parquet" in line for line in said)


# ---- long ones -------------------------------------------------------------------


def write_large(file, size):
    """A CSV of about that many bytes for customer_interactions; its rows."""
    filler = "looked for something, and then for something else; " * 10
    n = 0
    with open(file, "w", encoding="utf-8") as out:
        out.write("interaction_id,interaction_date,interaction_type,"
                  "activity_description\n")  # fmt: skip
        while out.tell() < size:
            out.writelines(
                f'I-{n + i:08},2025-01-01 10:00:00,chat,"{n + i} {filler}"\n'
                for i in range(1000)
            )
            n += 1000
    return n


def most_memory(*words):
    """The largest resident size of the command, in MiB."""
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command.command(*words)],
        env=command.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout) / 1024


@pytest.mark.timed
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_memory_is_bounded(path, tmp_path):
    size = soak.times(30_000_000, 1 << 30)
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    write_large(small, 1_000_000)
    n = write_large(large, size)
    to = ("--table", "customer_interactions", "--db", path)
    before = most_memory("import", small, *to)
    more = most_memory("import", large, *to) - before
    soak.figure("bytes of one import: 80 MiB more memory", size, more >= 80)
    assert more < 80  # 32 of them are SQLite's page cache
    with SmartShopieDB(path) as db:
        assert db.customer_interactions.count() == n


def has_open(process, file):
    folder = f"/proc/{process.pid}/fd"
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if os.readlink(f"{folder}/{name}") == str(file):
                return True
    return False


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(path, tmp_path):
    file = tmp_path / "customer_interactions.csv"
    write_large(file, 40_000_000)
    words = ("import", file, "--db", path)
    process = command.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not has_open(process, file):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert err.decode().startswith("smartshopie: stopped")
    assert len(err.splitlines()) == 1
    with SmartShopieDB(path) as db:
        assert db.customer_interactions.count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("without_rich", [False, True])
def test_progress_on_a_terminal(path, tmp_path, without_rich):
    file = tmp_path / "customer_interactions.csv"
    write_large(file, 16_000_000)
    out, shown = command.on_terminal(
        "import", file, "--db", path, without_rich=without_rich
    )
    assert out == "" and "added" in shown
    lines = re.findall(r": [\d,]+ of [\d,]+ bytes\r\n", shown)
    assert bool(lines) == without_rich
    assert ("\x1b[" in shown) == (not without_rich)  # a bar moves, lines do not
