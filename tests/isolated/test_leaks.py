"""Whatever is done a thousand times leaves no memory and no file descriptor behind."""

import json

import pytest
import scripts

# Under the sanitizers freed memory stays in quarantine.
pytestmark = [pytest.mark.timeout(90), pytest.mark.slow]

# What one round does; `db` is open on an older file's twin with some rows in it.
ROUNDS = {
    "open and close": "SmartShopieDB(new_path()).connect().close()",
    "open and drop": "SmartShopieDB(new_path()).connect()",
    "with": "with SmartShopieDB(PATH) as one: one.get_overview_kpis()",
    "in memory": "SmartShopieDB(':memory:').get_overview_kpis()",
    "failed opening": "raises(DatabaseError, SmartShopieDB(TEXT).connect)",
    "wrong option": "raises(ValueError, lambda: SmartShopieDB(PATH, mode='x'))",
    "getters": "[getattr(db, name)() for name in GETTERS]",
    "windows": "db.get_conversion_funnel(period='7d', order_by='-count', limit=3);"
    " db.conversion_funnel.select(columns=['count'], stage_name='x')",
    "cells": "[dict(row) for row in db.conversion_funnel.select()]",
    "columns": "db.conversion_funnel.select()['count'].to_list()",
    "adds": "add(db, k % 50); db.add(OverviewKPI(record_date='2025-01-01'))",
    "updates": "db.realtime_metrics.update({'active_sessions': 1}, cpu_usage_pct=k % 9)"
    "; db.realtime_metrics.delete({'active_sessions': k})",
    "queries": "db.query('SELECT ? AS a, ? AS b', (str(k % 50), b'x'));"
    " db.execute_query(f'SELECT {k} AS n')",
    "cursor": "with db.get_cursor() as c: c.execute('SELECT 1'); c.fetchall();"
    " c.executemany('DELETE FROM usage_alerts WHERE id = ?', [(1,), (2,)])",
    "dbapi": "c = dbapi.connect(PATH, detect_types=3);"
    " c.row_factory = lambda *a: (c, a);"
    " c.execute('INSERT INTO usage_alerts (id) SELECT 1 WHERE 0');"
    " list(c.execute('SELECT ? AS \"a [date]\", date() AS \"b [date]\"', ['2025-01-01'"
    "]))"
    "; raises(dbapi.Error, lambda: c.execute('SELEC')); k % 2 or c.close(); del c;"
    " k % 10 or gc.collect()",
    "transactions": "with db.transaction():\n  add(db, k % 50)\n  with db.snapshot"
    " if False else db.transaction(): db.get_overview_kpis()",
    "rolled back": "with contextlib.suppress(KeyError), db.transaction():"
    " add(db, k % 50); raise KeyError",
    "snapshots": "with db.snapshot(): db.get_overview_kpis()",
    "wrong names": "raises(TypeError, lambda: db.add_overview_kpis(total_custmers=1))",
    "wrong values": "raises(ValueError, lambda: db.get_overview_kpis('2025-02-30'));"
    " raises(TypeError, lambda: db.add_overview_kpis(record_date=k))",
    "constraints": "raises(IntegrityError, lambda: db.add_overview_kpis("
    "record_date='2025-01-01', total_customers=-1))",
    "wrong sql": "raises(ProgrammingError, lambda: db.query(f'SELECT no{k % 50}'))",
    "bad cells": "raises(DataError, lambda: odd.overview_kpis.select());"
    " odd.overview_kpis.select(strict=False).notes",
    "time limit": "raises(OperationalError, lambda: db.query(SLOW, timeout=0.001))",
    "tabs": "db.get_all_data_for_tab('overview')",
    "kept": "rows = db.overview_kpis.select(limit=k % 40); rows.to_json();"
    " db.query('SELECT ? AS n', [k]).to_csv(); db.get_overview_kpis();"
    " db.version; k % 10 or db.realtime_metrics.update(1, active_sessions=k)",
    "kept little": "small = SmartShopieDB(PATH, cache=20000);"
    " [small.query('SELECT ? AS n', [n]).to_json() for n in range(60)]; small.close()",
    "handles": "db.tables['overview_kpis'].schema; db.overview_kpis.latest()",
    "threads": "t = threading.Thread(target=add, args=(db, k % 50)); t.start();"
    " t.join()",
    "cycles": "one = Cycle(PATH); one.me = one; one.get_overview_kpis(); del one;"
    " k % 10 or gc.collect()",
}
SCRIPT = """
import json, sqlite3
TEXT = PATH + ".txt"
with open(TEXT, "w") as file:
    file.write("not a database" * 100)
odd_path = PATH + ".odd"
stock = sqlite3.connect(odd_path)
stock.executescript("CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, "
                    "record_date DATE); INSERT INTO overview_kpis VALUES (1, 'soon')")
stock.close()
odd = SmartShopieDB(odd_path)
class Cycle(SmartShopieDB):
    pass
from smartshopie_db import dbapi, demo
demo.create(PATH)
db = SmartShopieDB(PATH, durability="off")
GETTERS = [name for name in dir(db) if name.startswith("get_")
           and name not in ("get_cursor", "get_all_data_for_tab")]
library = ctypes.CDLL("libsqlite3.so.0")
library.sqlite3_memory_used.restype = ctypes.c_int64
class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks "
                "keepcost".split()]
mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", Mallinfo)  # glibc has it
mallinfo.restype = Mallinfo
def new_path():
    return PATH[:1] + PATH[1:]
def once(k):
    ROUND
def figures():
    gc.collect()
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    return [pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd")),
            library.sqlite3_memory_used(), sys.getallocatedblocks(),
            mallinfo().uordblks - library.sqlite3_memory_used()]
k = 0
marks = []
begun = time.monotonic()
while len(marks) < 4:
    # Each stretch is as long as the first, which is cut by time.
    for _ in range(10_000 if not marks else per_stretch):
        once(k := k + 1)
        if not marks and (k >= 300 or time.monotonic() - begun > 0.2):
            break
    if not marks:
        per_stretch = k
    marks.append(figures())
print(json.dumps([per_stretch, marks]))
"""


@pytest.mark.timed
@pytest.mark.parametrize("what", ROUNDS)
def test_nothing_is_left_behind(tmp_path, what):
    code = ROUNDS[what].replace("\n", "\n    ")
    script = SCRIPT.replace("ROUND", code, 1)
    rounds, marks = json.loads(scripts.run(script, tmp_path / "shop.db"))
    assert rounds >= 10
    resident, files, sqlite, blocks, allocated = zip(*marks, strict=True)
    assert files[-1] == files[1], marks
    assert sqlite[-1] - sqlite[1] <= 64 * 1024, marks
    assert blocks[-1] - blocks[1] < max(150, rounds // 2), marks
    assert allocated[-1] - allocated[1] < max(32 * 1024, rounds * 16), marks
    assert resident[-1] - resident[1] < 1 << 20, marks


def test_results_give_their_memory_back(path):
    """A large result is freed with its last view, not before and not never."""
    out = scripts.run(
        """
        def resident():
            with open("/proc/self/statm") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        db = SmartShopieDB(PATH)
        sql = SLOW.replace("max(x)", "x, 'text ' || x AS t")
        sql = sql.replace("FROM c)", "FROM c WHERE x < 400000)")
        rows = db.query(sql)
        column, row, part = rows["t"], rows[5], rows[10:12]
        del rows
        gc.collect()
        assert (column[399_999], row.t, part[1].x) == ("text 400000", "text 6", 12)
        held = resident()
        del column, part
        assert row.t == "text 6"
        del row
        freed = held - resident()
        for _ in range(5):
            db.query(sql)
        print(freed, resident() - held)
        """,
        path,
    )
    freed, grown = map(int, out.split())
    assert freed > 5_000_000
    assert grown < 4_000_000


def test_a_cycle_through_a_database_is_collected(path):
    scripts.run(
        """
        import weakref
        class Shop(SmartShopieDB):
            pass
        shop = Shop(PATH)
        shop.me = shop
        shop.table = shop.overview_kpis
        add(shop, 1)
        gone = weakref.ref(shop)
        del shop
        gc.collect()
        assert gone() is None
        assert not os.path.exists(PATH + "-wal")
        block = SmartShopieDB(PATH).transaction()
        cursor = SmartShopieDB(PATH).get_cursor()
        del block, cursor
        gc.collect()
        assert gc.garbage == []
        """,
        path,
    )
