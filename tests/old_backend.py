"""A backend as they were written before the package, in every way in which those called
sqlite3: rows as dicts and as tuples, values by place and by name, PRAGMA, cursors,
`with`, errors that are expected. `make` takes what it calls sqlite3.

bench/peers/old_web.py is another thing: the queries that one such app asked, all of
them asked in one way, for the load.
"""

from flask import Flask, abort, g, jsonify, request

DAYS = {"7d": 7, "30d": 30, "90d": 90, "1y": 365}


def make(sqlite3, path):
    app = Flask("old_backend")

    def connection():
        if "db" not in g:
            g.db = sqlite3.connect(path, timeout=10.0, check_same_thread=False)
            g.db.row_factory = sqlite3.Row
        return g.db

    @app.teardown_appcontext
    def close(_):
        db = g.pop("db", None)
        if db is not None:
            db.close()

    @app.errorhandler(sqlite3.Error)
    def failed(error):
        kind = "missing" if isinstance(error, sqlite3.OperationalError) else "other"
        return jsonify(success=False, kind=kind, message=str(error)), 500

    def answer(rows):
        return jsonify(success=True, data=[dict(row) for row in rows])

    def window():
        cursor = connection().cursor()
        cursor.execute("SELECT MAX(record_date) AS newest FROM overview_kpis")
        newest = (cursor.fetchone()["newest"] or "2025-10-31")[:10]
        days = DAYS.get(request.args.get("period"), 30)
        cursor.execute("SELECT date(?, ?)", (newest, f"-{days} days"))
        return cursor.fetchone()[0], newest

    @app.get("/health")
    def health():
        db = connection()
        cursor = db.cursor()
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        )
        tables = [row[0] for row in cursor]
        counts = {}
        for name in tables:
            counts[name] = db.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]
        return jsonify(tables=tables, counts=counts, changes=db.total_changes)

    @app.get("/kpis")
    def kpis():
        row = (
            connection()
            .execute(
                "SELECT AVG(total_customers) AS total_customers,"
                " SUM(ai_interactions) AS ai_interactions,"
                " SUM(COALESCE(revenue_impact, 0)) AS revenue_impact, COUNT(*) AS days"
                " FROM overview_kpis WHERE date(record_date) BETWEEN ? AND ?",
                window(),
            )
            .fetchone()
        )
        if row is None or row["days"] == 0:
            abort(404)
        return jsonify(dict(row))

    @app.get("/funnel")
    def funnel():
        rows = connection().execute(
            "SELECT stage_name, stage_order, SUM(count) AS count,"
            " ROUND(AVG(percentage), 1) AS percentage FROM conversion_funnel"
            " WHERE record_date >= :start AND record_date <= :end"
            " GROUP BY stage_name, stage_order ORDER BY stage_order",
            dict(zip(("start", "end"), window(), strict=True)),
        )
        return answer(rows)

    @app.get("/attribution")
    def attribution():
        month = request.args.get("period") == "1y"
        bucket = "strftime('%Y-%m-01', record_date)" if month else "DATE(record_date)"
        rows = connection().execute(
            f"SELECT {bucket} AS record_date, ai_feature,"
            " SUM(revenue_amount) AS revenue_amount, AVG(percentage) AS percentage"
            f" FROM revenue_attribution WHERE record_date BETWEEN ? AND ?"
            f" GROUP BY {bucket}, ai_feature ORDER BY 1, 3 DESC",
            window(),
        )
        return answer(rows)

    @app.get("/analytics")
    def analytics():
        db = connection()
        columns = [row[1] for row in db.execute("PRAGMA table_info(overview_kpis)")]
        row = db.execute(
            "SELECT * FROM conversion_analytics ORDER BY record_date DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return jsonify(success=True, data=None, columns=columns)
        first, day, rate, *_ = row
        return jsonify(id=first, day=day[:10], rate=rate, last=row[-1], columns=columns)

    @app.get("/trends")
    def trends():
        rows = connection().execute(
            "SELECT t.record_date, SUM(t.conversions) AS conversions, AVG(CASE WHEN"
            " k.total_customers > 0 THEN 100.0 * t.conversions / k.total_customers"
            " ELSE 0 END) AS rate FROM conversion_trends t LEFT JOIN overview_kpis k"
            " ON DATE(t.record_date) = DATE(k.record_date)"
            " WHERE DATE(t.record_date) BETWEEN ? AND ? GROUP BY t.record_date"
            " ORDER BY t.record_date",
            window(),
        )
        return answer(rows)

    @app.get("/patterns")
    def patterns():
        rows = connection().execute(
            "SELECT p.pattern_type, p.pattern_name, CAST(p.value AS INTEGER) AS value,"
            " COALESCE(p.metric_unit, '') AS metric_unit FROM behavioral_patterns p"
            " JOIN (SELECT pattern_type, MAX(record_date) AS newest FROM"
            " behavioral_patterns GROUP BY pattern_type) n ON n.newest = p.record_date"
            " AND n.pattern_type = p.pattern_type ORDER BY p.pattern_type, p.id"
        )
        return answer(rows)

    @app.get("/interactions")
    def interactions():
        limit = request.args.get("limit", default=10, type=int)
        rows = connection().execute(
            "SELECT * FROM customer_interactions ORDER BY interaction_date DESC, id"
            " LIMIT ?",
            (limit,),
        )
        return answer(rows.fetchmany(1000))

    @app.get("/summary")
    def summary():
        db = connection()
        row = db.execute("SELECT * FROM interaction_summary LIMIT 1").fetchone()
        names = row.keys() if row is not None else []
        shown = [tuple(row) for row in db.execute("SELECT * FROM interaction_summary")]
        return jsonify(names=names, rows=shown)

    @app.get("/live")
    def live():
        since = request.args.get("since", "")
        rows = connection().execute(
            "SELECT recorded_at, active_sessions, COALESCE(cpu_usage_pct, 0) AS cpu"
            " FROM realtime_metrics WHERE recorded_at > ? ORDER BY recorded_at"
            " LIMIT 120",
            [since],
        )
        return answer(rows)

    @app.get("/payments")
    def payments():
        for name in ("billing_payments", "payment_history", "payments"):
            try:
                rows = (
                    connection()
                    .execute(f"SELECT * FROM {name} ORDER BY payment_date DESC")
                    .fetchall()
                )
            except sqlite3.OperationalError:
                continue
            return answer(rows)
        return answer([])

    @app.get("/usage")
    def usage():
        return answer(
            connection().execute("SELECT * FROM usage_breakdown ORDER BY month")
        )

    @app.get("/config")
    def config():
        rows = connection().execute(
            "SELECT a.* FROM api_configurations a JOIN (SELECT api_type, MAX(id) AS id"
            " FROM api_configurations GROUP BY api_type) n ON n.id = a.id"
            " ORDER BY a.api_type"
        )
        return answer(rows)

    @app.post("/note")
    def note():
        db = connection()
        with db:
            cursor = db.execute(
                "INSERT INTO overview_kpis (record_date, total_customers)"
                " VALUES (?, ?)",
                (request.json["day"], request.json["customers"]),
            )
        stored = db.execute(
            "SELECT record_date, total_customers FROM overview_kpis WHERE rowid = ?",
            (cursor.lastrowid,),
        ).fetchone()
        return jsonify(**dict(stored), id=cursor.lastrowid, changed=cursor.rowcount)

    return app


ROUTES = [
    "/health",
    *(
        f"{route}?period={period}"
        for route in ("/kpis", "/funnel", "/attribution", "/trends")
        for period in ("7d", "1y", "xyz")
    ),
    "/analytics",
    "/patterns",
    "/interactions",
    "/interactions?limit=-1",
    "/summary",
    "/live",
    "/live?since=2025-10-31T00:00:00",
    "/payments",
    "/usage",
    "/config",
    "/nowhere",
]
