"""The plots: what is drawn, that plotly takes it, that text of the file stays text."""

import datetime
import html
import inspect
import itertools
import json
import re
import shutil
import sqlite3
import subprocess
import sys

import plotly.graph_objects as go
import pytest
import scripts

from smartshopie_db import SmartShopieDB, plots
from smartshopie_db.demo import generate
from smartshopie_db.plots import PLOTS, THEMES, Style
from smartshopie_db.plots.figure import figure
from smartshopie_db.plots.page import page, script, table
from smartshopie_db.reports import REPORTS, window

D = datetime.date
DEMO_DAY = D(2025, 10, 28)
PERIODS = (1, 7, 30, 90, 365)


def last(db, days, end=DEMO_DAY):
    return window(db, period=f"{days}d", as_of=end)


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    path = tmp_path_factory.mktemp("year") / "year.db"
    generate(path, days=400, rows=500)
    with SmartShopieDB(path, mode="ro") as db:
        yield db


def drawings(db, days, style=None):
    """Every drawing, JSON and valid for plotly."""
    style = style or Style("EUR")
    for plot in PLOTS.values():
        names = list(plot.parameters)
        for values in itertools.product(*plot.parameters.values()):
            drawn = plot.draw(db, days, style, **dict(zip(names, values, strict=True)))
            json.dumps([drawn.data, drawn.layout, drawn.rows], allow_nan=False)
            assert drawn.name == plot.name and drawn.title and drawn.note
            assert len(drawn.columns) == len(drawn.units)
            assert all(len(row) == len(drawn.columns) for row in drawn.rows)
            assert bool(drawn.empty) == (not drawn.data) == (not drawn.rows)
            for theme in THEMES:
                assert isinstance(figure(drawn, theme), go.Figure)
            yield drawn


@pytest.mark.parametrize("days", PERIODS)
def test_plotly_takes_every_drawing_of_a_year(year, days):
    for drawn in drawings(year, last(year, days, D(2025, 12, 31))):
        assert drawn.empty is None


def test_plotly_takes_every_drawing_of_the_demo(demo):
    assert all(not drawn.empty for drawn in drawings(demo, last(demo, 30)))


def test_an_empty_file_says_so(db):
    assert all(drawn.empty for drawn in drawings(db, last(db, 30)))


def test_older_files_are_drawn(legacy_path):
    with SmartShopieDB(legacy_path, mode="ro") as db:
        assert list(drawings(db, last(db, 30)))


def test_cells_that_cannot_be_read_are_gaps(legacy_path):
    with sqlite3.connect(legacy_path) as old:
        names = old.execute(
            "SELECT t.name, c.name FROM sqlite_schema AS t,"
            " pragma_table_info(t.name) AS c WHERE t.type = 'table'"
            " AND c.type IN ('INTEGER', 'REAL') AND NOT c.pk"
        ).fetchall()
        for table_name, column in names:
            old.execute(f"UPDATE {table_name} SET {column} = 'bad'")
    old.close()
    with SmartShopieDB(legacy_path, mode="ro", strict=False) as db:
        assert all("bad" not in str(drawn.data) for drawn in drawings(db, last(db, 30)))


@pytest.mark.parametrize("end", [D(2025, 10, 28), D(2025, 10, 31)])
def test_real_files_are_drawn(real_path, end):
    with SmartShopieDB(real_path, mode="ro") as db:
        for days in PERIODS:
            assert list(drawings(db, last(db, days, end)))


def test_a_file_with_one_row_is_drawn(db):
    """Of each table in turn; its plots show it, the others are empty."""
    for name, table_of in db.tables.items():
        with db.transaction():
            for other in db.tables.values():
                other.delete(all=True)
            table_of.add(**one_row(table_of))
        shown = {drawn.name for drawn in drawings(db, window(db)) if not drawn.empty}
        wanted = {plot.name for plot in PLOTS.values() if plot.tables == (name,)}
        assert wanted <= shown, name


def one_row(table_of, text="x", day="2025-10-28"):
    """A value for every column but the kept ones."""
    values = {
        "INTEGER": 1, "REAL": 1.0, "TEXT": text, "DATE": day,
        "TIMESTAMP": f"{day} 09:00:00",
    }  # fmt: skip
    return {
        column["name"]: values[column["type"]]
        for column in table_of.schema
        if (
            column["name"] not in ("id", "created_at", "updated_at", "period_type")
            and not column["name"].endswith("_id")
        )
        or column["name"] in KEYS
    }


KEYS = ("product_id", "interaction_id")


# ---- what is drawn -------------------------------------------------------------------


def trace(drawn, name):
    (found,) = [
        t for t in drawn.data if t["name"] == name and t.get("showlegend", True)
    ]
    return found


def draw(db, name, style=None, /, parameters=None, **asked):
    found = PLOTS[name].draw(
        db, window(db, **asked), style or Style(), **(parameters or {})
    )
    return found


def test_parts_of_weeks_are_drawn_apart(db):
    """Two whole weeks, the first without all its days, and a Monday and a Tuesday."""
    for day in range(1, 15):
        db.add_revenue_attribution(
            record_date=D(2025, 10, day), ai_feature="Chat", revenue_amount=10.0
        )
    drawn = draw(db, "attribution", start="2025-09-01", end="2025-10-14")
    whole, part = drawn.data
    assert [v for v in whole["y"] if v is not None] == [50.0, 70.0]
    assert [v for v in part["y"] if v is not None] == [20.0]
    assert part["marker"]["color"] != whole["marker"]["color"]
    assert "parts of weeks are lighter" in drawn.note
    assert "by week" in drawn.note and "3 of 7 weeks" in drawn.note
    assert drawn.rows[-1] == ("2025-10-13", 20.0, False)


def test_where_nothing_is_stored_there_is_a_gap(db):
    for day in (1, 2, 4):
        db.add_customer_satisfaction(
            record_date=D(2025, 10, day), overall_satisfaction=4.0,
            product_match_quality=3.0, ai_helpfulness=2.0,
        )  # fmt: skip
    drawn = draw(db, "satisfaction", start="2025-10-01")
    overall = trace(drawn, "overall")
    assert overall["y"] == [4.0, 4.0, None, 4.0] and not overall["connectgaps"]
    assert overall["x"] == [f"2025-10-0{day}" for day in (1, 2, 3, 4)]
    low, high = drawn.layout["yaxis"]["range"]
    assert low <= 2.0 and high >= 5  # no value is cut off
    assert "stored for 3 of 4 days" in drawn.note
    db.add_interaction_summary(record_date=D(2025, 10, 1), chat_interactions=3)
    db.add_interaction_summary(record_date=D(2025, 10, 7), chat_interactions=5)
    drawn = draw(db, "interactions_timeline", start="2025-10-01", end="2025-10-07")
    assert drawn.data[0]["type"] == "bar"  # an area would fill the days between
    assert drawn.data[0]["y"] == [3, None, None, None, None, None, 5]


@pytest.mark.parametrize("days", PERIODS)
def test_bars_and_areas_begin_at_zero(year, days):
    for drawn in drawings(year, last(year, days, D(2025, 12, 31))):
        for one in drawn.data:
            flat = one.get("orientation") == "h"
            if one["type"] != "bar" and not one.get("stackgroup"):
                continue
            named = one.get("xaxis" if flat else "yaxis", "x" if flat else "y")
            axis = drawn.layout[named[0] + "axis" + named[1:]]
            low = axis.get("range", [None])[0]
            assert low == 0 or (low is None and axis["rangemode"] == "tozero")


def test_one_day_is_a_day_wide(year):
    for name in ("attribution", "conversion_trend", "kpi_trend"):
        drawn = draw(year, name, period="1d", as_of="2025-12-31")
        axis = drawn.layout["xaxis"]
        assert axis["tickvals"] == ["2025-12-31"]
        assert axis["range"] == ["2025-12-30", "2026-01-01"]
        hours = [one["width"] / 3_600_000 for one in drawn.data if one["type"] == "bar"]
        assert all(12 < wide <= 24 for wide in hours)


def test_the_funnel_has_the_shares_of_its_counts(demo):
    drawn = draw(demo, "funnel")
    assert drawn.rows[0] == ("Page Visitors", 3200, 100.0, 100.0)
    assert drawn.rows[-1][:3] == ("Purchase", 320, 10.0)
    assert drawn.data[0]["x"] == [3200, 2080, 1440, 704, 320]
    assert "stored for 1 of them" in drawn.note


def test_what_is_older_than_the_window_says_so(db):
    db.add_conversion_funnel_stage(
        record_date="2025-01-05", stage_name="Visit", stage_order=0, count=9
    )
    db.add_customer_segment(
        record_date="2025-01-05", segment_name="New", segment_size=3
    )
    for name in ("funnel", "segments"):
        drawn = draw(db, name, as_of="2025-10-28")
        assert not drawn.empty and "5 Jan 2025" in drawn.note
        assert "nothing newer is stored" in drawn.note


def test_at_most_six_slices(db):
    for i in range(9):
        db.add_interaction_type(
            record_date="2025-10-28", interaction_name=f"kind {i}", count=10 - i
        )
    drawn = draw(db, "interaction_types")
    (ring,) = drawn.data
    assert ring["values"] == [10, 9, 8, 7, 6, 5 + 4 + 3 + 2]
    assert ring["labels"][-1] == "All others" and len(drawn.rows) == 9


def test_more_series_than_colours_leave_a_rest(db):
    for i in range(9):
        db.add_revenue_attribution(
            record_date="2025-10-28", ai_feature=f"f{i}", revenue_amount=10.0 - i
        )
    drawn = draw(db, "attribution")
    assert [t["name"] for t in drawn.data] == [
        "f0",
        "f1",
        "f2",
        "f3",
        "f4",
        "All others",
    ]
    assert drawn.data[-1]["y"][-1] == 5 + 4 + 3 + 2


def test_models_are_drawn_where_they_were_measured(db):
    for month in (1, 2, 5):
        db.add_ai_model_performance(
            record_date=D(2025, month, 1), model_name="M", accuracy=90.0 + month
        )
    drawn = draw(db, "model_performance", period="7d", as_of="2025-05-20")
    (line,) = drawn.data
    known = {x: y for x, y in zip(line["x"], line["y"], strict=True) if y is not None}
    assert known == {"2025-01-01": 91.0, "2025-02-01": 92.0, "2025-05-01": 95.0}
    assert "2025-03-01" in line["x"] and not line["connectgaps"]


def test_accuracies_are_not_added_up(db):
    for i in range(9):
        db.add_ai_model_performance(
            record_date="2025-10-01", model_name=f"m{i}", accuracy=90.0 - i
        )
    drawn = draw(db, "model_performance")
    assert len(drawn.data) == 9
    assert all(max(filter(None, line["y"])) <= 90 for line in drawn.data)


def test_a_name_that_means_the_rest_is_a_part_of_it(db):
    for i, name in enumerate(["All others", *"abcdefg"]):
        db.add_revenue_attribution(
            record_date="2025-10-28", ai_feature=name, revenue_amount=10.0 - i
        )
    drawn = draw(db, "attribution")
    assert sum(t["y"][-1] for t in drawn.data) == sum(10 - i for i in range(8))


def test_the_forecast_has_a_band_only_with_bounds(db):
    for month, low, high in ((11, 80.0, 120.0), (12, None, None)):
        db.add_revenue_forecast(
            record_date="2025-10-28", forecast_date=D(2025, month, 1),
            predicted_revenue=100.0, lower_bound=low, upper_bound=high,
        )  # fmt: skip
    for day, amount in (
        ("2025-09-03", 40.0),
        ("2025-09-30", 50.0),
        ("2025-10-02", 7.0),
    ):
        db.add_revenue_attribution(
            record_date=day, ai_feature="Chat", revenue_amount=amount
        )
        db.add_category_revenue(
            record_date=day, category_name="Haircare", revenue_amount=9 * amount
        )
    drawn = draw(db, "forecast", as_of="2025-10-28")
    # What is forecast: revenue of the assistant, not all. October is not over.
    assert trace(drawn, "assistant revenue")["y"] == [90.0]
    assert trace(drawn, "forecast")["y"] == [100.0, 100.0]
    band = [t for t in drawn.data if t.get("fill") == "tonexty"]
    assert [t["x"] for t in band] == [["2025-11-01"]]
    db.execute("UPDATE revenue_forecasting SET upper_bound = NULL")
    drawn = draw(db, "forecast", as_of="2025-10-28")
    assert not [t for t in drawn.data if t.get("fill")] and "band" not in drawn.note


def test_the_past_of_the_forecast_is_that_of_the_route(year):
    days = window(year, period="30d")
    found = REPORTS["revenue/forecasting"].run(year, days)
    drawn = PLOTS["forecast"].draw(year, days, Style())
    past = [row for row in found["history"] if row["complete"]]
    assert len(past) > 3
    assert trace(drawn, "assistant revenue")["y"] == [r["revenue_amount"] for r in past]
    ahead = trace(drawn, "forecast")["y"]
    assert 0.5 < ahead[0] / past[-1]["revenue_amount"] < 2  # it goes on from there


def test_a_trend_stands_beside_a_month_of_another_length(year):
    drawn = draw(year, "kpi_trend", period="1m", as_of="2025-03-31")
    pale, line = drawn.data
    assert len(drawn.rows) == len(pale["x"]) == len(pale["y"]) == len(line["x"])
    assert "Feb 2025" in pale["name"] and "Mar 2025" in line["name"]


@pytest.mark.parametrize("measure", PLOTS["kpi_trend"].parameters["measure"])
def test_a_trend_draws_what_series_says(year, measure):
    drawn = draw(year, "kpi_trend", parameters={"measure": measure}, period="1y")
    rows = year.series("overview_kpis", measure, every="month", start="2025-01-01")
    drawn_values = drawn.data[0]["y"]
    assert drawn_values == rows[measure].to_list()


# ---- money and text ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "before", "after"),
    [("EUR", "€", ""), ("USD", "&#36;", ""), ("CHF", "", " CHF"), (None, "", "")],
)
def test_amounts_have_the_currency(demo, currency, before, after):
    drawn = draw(demo, "attribution", Style(currency))
    axis = drawn.layout["yaxis"]
    assert (axis["tickprefix"], axis["ticksuffix"]) == (before, after)
    assert bool(axis["title"]["text"]) == (currency is None)
    assert drawn.data[0]["hovertemplate"] == f"{before}%{{y:,.2f}}{after}"
    drawn = draw(demo, "top_products", Style(currency))
    words = [note["text"].strip() for note in drawn.layout["annotations"]]
    assert f"{before}1,292{after}" in words


def test_separators_are_ones_own(demo):
    drawn = draw(demo, "top_products", Style("EUR", separators=",."))
    assert "€1.292" in [note["text"].strip() for note in drawn.layout["annotations"]]
    assert drawn.layout["separators"] == ",."


HOSTILE = (
    '<a href="javascript:alert(1)">click</a>',
    "<b>bold</b><br>two<extra></extra>",
    "&lt;i&gt; &amp; <script>alert(1)</script></script>",
    "%{y} %{customdata[0]} $\\alpha$",
    "<img src=x onerror=alert(1)>",
    "name\nof\ttwo lines\u202e",
)
OURS = re.compile(r"<br>|</?b>|<extra></extra>")


@pytest.fixture
def hostile(db):
    """Every table with rows whose texts are markup."""
    for table_of in db.tables.values():
        for i, text in enumerate(HOSTILE):
            row = one_row(table_of, text, f"2025-10-{28 - i}")
            table_of.add(**row)
            if "record_date" in row and table_of.name != "system_health":
                texts = [c["name"] for c in table_of.schema if c["type"] == "TEXT"]
                if any(name in row for name in texts) and "stage_order" not in row:
                    table_of.add(**{**row, "record_date": "2025-10-28"})
    return db


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from strings(each)


def test_text_of_the_file_stays_text(hostile):
    seen = set()
    for drawn in drawings(hostile, window(hostile)):
        for text in strings([drawn.data, drawn.layout]):
            rest = OURS.sub("", text)
            assert "<" not in rest and ">" not in rest, (drawn.name, text)
            assert not re.search(r"\$|&(?!(amp|lt|gt|#36);)", rest), (
                drawn.name,
                text,
            )
            seen.update(h for h in HOSTILE if html.unescape(text).startswith(h[:12]))
        templates = [t.get("hovertemplate") or "" for t in drawn.data]
        assert not any("alert" in text or "bold" in text for text in templates)
        if drawn.name in NAMED:
            assert set(HOSTILE) & set(strings(drawn.rows)), drawn.name
    assert len(seen) == len(HOSTILE) - 1  # that with a line end is on one line


NAMED = {
    "funnel", "interaction_types", "segments", "concerns", "lifetime_value",
    "product_gaps", "top_products", "category_performance", "cross_sell",
    "feature_performance", "category_revenue", "customer_value", "payments",
}  # fmt: skip


def chrome():
    found = shutil.which("chromium") or shutil.which("google-chrome")
    return found or pytest.skip("there is no Chrome to draw in")


@pytest.mark.slow
def test_a_browser_finds_no_link_in_names(hostile, tmp_path):
    """Plotly's own reading of labels: the markup is shown, not obeyed."""
    drawn = [
        PLOTS[name].draw(hostile, window(hostile), Style("USD"))
        for name in ("attribution", "interaction_types", "segments", "lifetime_value")
    ]
    body = "".join(f'<div id="p{i}"></div>' for i in range(len(drawn)))
    calls = "".join(
        f"Plotly.newPlot('p{i}',{script(d.data)},{script(d.layout)},{{displayModeBar:false}});"
        for i, d in enumerate(drawn)
    )
    from plotly.offline import get_plotlyjs

    path = tmp_path / "names.html"
    path.write_text(
        f"<!doctype html><meta charset=utf-8>{body}<script>{get_plotlyjs()}</script>"
        f"<script>{calls}</script>",
        encoding="utf-8",
    )
    dom = browse(path)
    shown = dom[: dom.index("/**")]  # before plotly's source
    assert shown.count("<svg") >= len(drawn)
    assert "&lt;a href" in shown and "&lt;b&gt;bold" in shown
    assert "<a " not in shown and "<img" not in shown
    assert shown.count("font-weight: bold") <= 1  # the sum in the ring


def browse(path):
    done = subprocess.run(
        [
            chrome(), "--headless=new", "--no-sandbox", "--disable-gpu",
            "--virtual-time-budget=8000", "--dump-dom", path.as_uri(),
        ],
        capture_output=True, timeout=120,
    )  # fmt: skip
    return done.stdout.decode()


# ---- calls ---------------------------------------------------------------------------


def test_each_plot_is_a_function(demo):
    for name in PLOTS:
        shown = getattr(plots, name)(demo, currency="EUR", theme="dark")
        assert isinstance(shown, go.Figure) and name in plots.__all__
        assert inspect.getdoc(getattr(plots, name))
        paper = shown.layout.template.layout.paper_bgcolor
        assert paper == THEMES["dark"]["paper_bgcolor"]
    assert plots.kpi_trend(demo, "total_customers", "90d").layout.title.text


def test_a_notebook_shows_it(demo):
    shown = plots.funnel(demo)
    bundle = shown._repr_mimebundle_()
    assert "Conversion funnel" in json.dumps(bundle or shown.to_json())
    assert "Conversion funnel" in shown.to_html(include_plotlyjs=False)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda db: plots.funnel(db, theme="blue"), "light, dark"),
        (lambda db: plots.funnel(db, "7x"), "7x"),
        (lambda db: plots.show(db, "funel"), "funnel"),
        (lambda db: plots.kpi_trend(db, "revenue"), "revenue_impact"),
    ],
)
def test_a_wrong_word_is_named(demo, call, words):
    with pytest.raises(ValueError, match=words):
        call(demo)


def test_plotly_is_asked_for_only_by_a_figure():
    code = """if True:
        import sys
        sys.modules["plotly"] = None
        from smartshopie_db import SmartShopieDB, plots
        from smartshopie_db.reports import window
        assert "flask" not in sys.modules
        db = SmartShopieDB(":memory:")
        for plot in plots.PLOTS.values():
            plot.draw(db, window(db), plots.Style())
        try:
            plots.funnel(db)
        except ImportError as error:
            assert "pip install 'smartshopie_db[web]'" in str(error)
        else:
            raise AssertionError("drew without plotly")
    """
    subprocess.run(
        [sys.executable, "-c", code], check=True, env=scripts.environment(), timeout=60
    )


# ---- the page of one plot ------------------------------------------------------------


def test_a_page_needs_nothing_else(demo):
    text = page(draw(demo, "segments", Style("EUR")), Style("EUR"), "dark")
    assert text.count("<script>") == 2 and "<script src" not in text
    assert "Plotly.newPlot(" in text and THEMES["dark"]["paper_bgcolor"] in text
    assert '<td>High Value</td><td class="number">6,120</td>' in text
    assert "€640.00" in text


def test_a_page_keeps_text_as_text(hostile):
    for name in ("segments", "payments", "product_gaps"):
        drawn = draw(hostile, name)
        text = table(drawn, Style())
        assert not re.search(r"<(?!/?t[rhd]\b)", text)
        assert "<" not in script(drawn.data)


def test_an_empty_page_says_why(db):
    assert "Nothing is stored" in page(draw(db, "segments"), Style())


def test_a_small_share_of_errors_is_written_as_tables_have_it(tmp_path):
    with SmartShopieDB(tmp_path / "shop.db") as db:
        db.add_api_endpoint(
            endpoint_name="/v1/products", method="GET", avg_response_ms=42.0,
            error_rate=0.25,
        )  # fmt: skip
        drawn = PLOTS["endpoint_health"].draw(db, window(db), Style())
    assert "0.25% errors" in json.dumps(drawn.data)
