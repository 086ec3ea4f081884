"""Five hundred damaged files: each gives a typed error or what the file really says,
soon, and never a crash."""

import json
import os
import random
import shutil
from concurrent.futures import ThreadPoolExecutor

import layouts
import oracle
import pytest
import scripts
import soak
from schema_facts import ROOT, TABLES

from smartshopie_db import SmartShopieDB

N_FILES = soak.times(500, 5000)
LONGEST = 120 + N_FILES // 5  # seconds
pytestmark = pytest.mark.timeout(LONGEST)

N_WORKERS = 2
SECONDS = 2.0

WORK = """
import json, sqlite3
def attempt(call):
    "What it gave, or the name of its typed error."
    try:
        return "gave", call()
    except Error as error:
        assert str(error)
        return "error", type(error).__name__
def raw_rows(db, table):
    return [tuple(row.values()) for row in db.execute_query(f"SELECT * FROM {table}")]
def stock_rows(path, table):
    stock = sqlite3.connect(path)
    try:
        return [tuple(row) for row in stock.execute(f"SELECT * FROM {table}")]
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    finally:
        stock.close()
def use(path, tables):
    db = SmartShopieDB(path)
    opened, _ = attempt(db.connect)
    if opened == "error":
        attempt(db.get_overview_kpis)
        db.close()
        return ["not opened"]
    seen = []
    for table in tables:
        seen.append(attempt(getattr(db, "get_" + table))[0])
        seen.append(attempt(lambda: list(map(dict, getattr(db, table).select(
            strict=False))))[0])
        attempt(getattr(db, table).count)
        kind, rows = attempt(lambda: raw_rows(db, table))
        if kind == "gave":
            wanted = stock_rows(path, table)
            assert wanted is None or repr(rows) == repr(wanted), table
    attempt(lambda: db.get_all_data_for_tab("overview"))
    attempt(lambda: db.query("PRAGMA integrity_check"))
    seen.append(attempt(lambda: add(db, 1))[0])
    seen.append(attempt(lambda: db.add_overview_kpis(record_date="2025-10-31"))[0])
    attempt(lambda: db.execute("DELETE FROM conversion_funnel"))
    db.close()
    return seen
with open(sys.argv[2]) as file:
    tables, paths = json.load(file)
totals = {}
for path in paths:
    signal.alarm(10)  # it ends the process: the report names the file
    print(path, end=" ", flush=True)
    begun = time.monotonic()
    for outcome in use(path, tables):
        totals[outcome] = totals.get(outcome, 0) + 1
    print(time.monotonic() - begun, flush=True)
print(json.dumps(totals))
"""


def sources(folder, demo_file):
    """Sound files to damage: of ours, also with a WAL, and of older layouts."""
    yield shutil.copy(demo_file, folder / "demo.db")
    for name in ("newer", "reduced"):
        yield layouts.build(folder / f"{name}.db", name)
        # Small pages are full ones: here the damage seldom hits unused space.
        yield layouts.build(folder / f"{name}_dense.db", name, page_size=512)
    with_wal = shutil.copy(demo_file, folder / "wal.db")
    scripts.run(
        "db = SmartShopieDB(PATH)\nfor n in range(60): add(db, n)\nos._exit(0)",
        with_wal,
    )
    os.unlink(f"{with_wal}-shm")
    yield with_wal
    for path in sorted((ROOT.parent / "shared/data").glob("upstream-c*.db")):
        yield shutil.copy(path, folder / "real.db")


def damage(data, dice):
    """The bytes with one or a few things wrong."""
    data = bytearray(data)
    page = int.from_bytes(data[16:18], "big") if data[:6] == b"SQLite" else 4096
    kind = dice.randrange(8)
    if kind == 0:
        return data[: dice.randrange(len(data))]
    if kind == 1:  # the header of the file
        data[dice.randrange(16, 100)] = dice.randrange(256)
    elif kind == 2:  # the first page: the schema
        for _ in range(dice.randrange(1, 20)):
            data[dice.randrange(100, min(page, len(data)))] = dice.randrange(256)
    elif kind == 3:  # anywhere
        for _ in range(dice.randrange(1, 200)):
            data[dice.randrange(len(data))] = dice.randrange(256)
    elif kind == 4:  # the head of a page, where its cells are listed
        start = dice.randrange(len(data) // page) * page
        for n in range(dice.randrange(1, 40)):
            data[(start + n) % len(data)] = dice.randrange(256)
    elif kind == 5:  # one page in the place of another
        first, second = (dice.randrange(len(data) // page) * page for _ in "ab")
        data[first : first + page] = data[second : second + page]
    elif kind == 6:
        start = dice.randrange(len(data))
        data[start : start + dice.randrange(1, 3 * page)] = bytes(dice.randrange(page))
    else:
        place = dice.randrange(len(data))
        data[place : place + 4] = dice.choice(
            (b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0" * 4)
        )
    return data


def make_mutants(folder, demo_file):
    dice = random.Random(20251027 + soak.seed())
    sound = folder / "sound"
    sound.mkdir()
    found = list(sources(sound, demo_file))
    paths = []
    for n in range(N_FILES):
        source = found[n % len(found)]
        path = folder / f"{n:04}" / "shop.db"
        path.parent.mkdir()
        wal = source.with_name(source.name + "-wal")
        in_wal = wal.exists() and n % 2
        path.write_bytes(
            source.read_bytes() if in_wal else damage(source.read_bytes(), dice)
        )
        if wal.exists():
            content = wal.read_bytes()
            path.with_name("shop.db-wal").write_bytes(
                damage(content, dice) if in_wal else content
            )
        paths.append(str(path))
    return paths


def start(folder, paths):
    job = folder / f"job {len(list(folder.glob('job *')))}"
    job.write_text(json.dumps([list(TABLES), paths]))
    return scripts.start(WORK, folder / "unused.db", job)


def finish(worker, paths):
    out, error = worker.communicate(timeout=LONGEST - 10)
    lines = out.splitlines()
    where = lines[-1] if lines else "at the start"
    assert worker.returncode == 0 and error == "", f"{where}: {error}"
    assert len(lines) == len(paths) + 1
    times = {line.split()[0]: float(line.split()[1]) for line in lines[:-1]}
    return times, json.loads(lines[-1])


@pytest.mark.slow
def test_damaged_files(tmp_path, demo_file, capsys):
    paths = make_mutants(tmp_path, demo_file)
    shares = [paths[k::N_WORKERS] for k in range(N_WORKERS)]
    workers = [start(tmp_path, share) for share in shares]
    totals, times = {}, {}
    with ThreadPoolExecutor(N_WORKERS) as pool:  # a pipe that nobody reads is full soon
        results = list(pool.map(finish, workers, shares))
    for took, outcomes in results:
        times |= took
        for outcome, count in outcomes.items():
            totals[outcome] = totals.get(outcome, 0) + count
    slowest = max(times, key=times.get)
    with capsys.disabled():
        print(f"\n  {len(paths)} damaged files: {totals}, slowest", end=" ")
        print(f"{times[slowest] * 1000:.0f} ms", end="")
    soak.figure(
        "damaged files: crash, or longer than 2 s",
        len(paths),
        sum(took > SECONDS for took in times.values()),
    )
    assert times[slowest] < SECONDS, slowest
    # A control: the damage is such that each outcome occurs, and often.
    assert totals["gave"] > 10 * N_FILES
    assert totals["error"] > N_FILES // 4
    assert totals["not opened"] > N_FILES // 20


def test_sound_files_pass_the_same_work(tmp_path, demo_file):
    paths = [str(path) for path in sources(tmp_path, demo_file)]
    _, outcomes = finish(start(tmp_path, paths), paths)
    # An older file refuses an add to a table that it lacks; nothing else fails.
    assert outcomes["gave"] > 300
    assert outcomes.get("error", 0) <= 3
    assert "not opened" not in outcomes


def test_pages_of_another_size(tmp_path):
    for size in (512, 1024, 65536):
        path = tmp_path / f"{size}.db"
        with oracle.connect(path) as stock:
            stock.execute(f"PRAGMA page_size = {size}")
            stock.execute(
                f"CREATE TABLE overview_kpis ({layouts.OLDEST['overview_kpis']})"
            )
            stock.execute(
                "INSERT INTO overview_kpis (record_date) VALUES ('2025-01-01')"
            )
        with SmartShopieDB(path) as db:
            assert db.get_overview_kpis().id == 1
            db.add_overview_kpis(record_date="2025-01-02")
            assert db.overview_kpis.count() == 2


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_text_in_another_encoding(tmp_path, encoding):
    path = tmp_path / "wide.db"
    text = "\N{SNOWMAN} \U0001f6d2 nul\0l"
    with oracle.connect(path) as stock:
        stock.execute(f"PRAGMA encoding = '{encoding}'")
        stock.execute(f"CREATE TABLE usage_alerts ({layouts.ALERTS})")
        stock.execute(
            "INSERT INTO usage_alerts VALUES ('info', ?, '', '2025-01-01')", (text,)
        )
    with SmartShopieDB(path) as db:
        assert db.get_usage_alerts()[0].title == text
        assert db.usage_alerts.count(title=text) == 1
        assert db.execute_query("SELECT title FROM usage_alerts") == [{"title": text}]
        db.add_usage_alert(title=text + "2", created_at="2025-01-02", level="x")
        assert db.usage_alerts.latest().title == text + "2"
