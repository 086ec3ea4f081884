"""`smartshopie plot`: files of each kind, and what is refused."""

import json
import shutil

import command
import pytest

from smartshopie_db.plots import PLOTS, THEMES


@pytest.fixture
def shop(demo, tmp_path):
    return tmp_path / "demo.db"


def test_the_list_has_every_plot():
    out, _ = command.run("plot", "--list", "--json")
    assert [row["plot"] for row in json.loads(out)] == list(PLOTS)


def test_a_page_of_html(shop, tmp_path):
    target = tmp_path / "funnel.html"
    out, err = command.run(
        "plot", "funnel", "--db", shop, "-o", target, "--theme", "dark"
    )
    text = target.read_text(encoding="utf-8")
    assert out == "" and "Conversion funnel" in err
    assert "Conversion funnel" in text and "Plotly.newPlot" in text
    assert len(list(tmp_path.glob("*.html"))) == 1  # and nothing unfinished


def test_json_has_what_is_drawn_and_the_numbers(shop, tmp_path):
    target = tmp_path / "rate.json"
    command.run(
        "plot", "kpi_trend", "--measure", "conversion_rate", "--db", shop, "-o", target,
        "--start", "2025-10-01", "--end", "2025-10-28",
    )  # fmt: skip
    found = json.loads(target.read_text(encoding="utf-8"))
    assert found["title"] == "Conversion rate" and found["data"]
    assert found["rows"][-1][:2] == ["2025-10-28", 10.0]
    assert len(found["rows"]) == 28
    assert found["layout"]["template"] == {"layout": THEMES["light"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "first"), [("png", b"\x89PNG"), ("svg", b"<svg class")]
)
def test_pictures(shop, tmp_path, ending, first):
    pytest.importorskip("kaleido")
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("there is no Chrome to draw with")
    target = tmp_path / f"funnel.{ending}"
    command.run("plot", "funnel", "--db", shop, "-o", target, "--size", "640x400")
    data = target.read_bytes()
    assert data.startswith(first)
    if ending == "png":
        width, height = (int.from_bytes(data[i : i + 4]) for i in (16, 20))
        assert (width, height) == (640, 400)


def test_a_missing_chrome_is_named(shop, tmp_path):
    pytest.importorskip("kaleido")
    _, err = command.run(
        "plot", "funnel", "--db", shop, "-o", tmp_path / "f.png", code=1,
        BROWSER_PATH=str(tmp_path / "none"),
    )  # fmt: skip
    assert "apt-get install chromium" in err and not list(tmp_path.glob("f.png"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["funel", "-o", "x.html"], "did you mean 'funnel'"),
        (["funnel"], "-o"),
        ([], "--list"),
        (["funnel", "-o", "x.gif"], ".svg"),
        (["funnel", "-o", "x.html", "--measure", "y"], "takes no --measure"),
        (["kpi_trend", "-o", "x.html", "--measure", "y"], "total_customers"),
        (["funnel", "-o", "x.html", "--size", "9x9"], "--size"),
        (["funnel", "-o", "x.png", "--size", "big"], "1000x600"),
        (["funnel", "-o", "x.html", "--period", "7x"], "7x"),
        (["funnel", "-o", "x.html", "--start", "2025-11-01", "--end", "2025-10-01"],
         "start"),
    ],
)  # fmt: skip
def test_what_is_refused(shop, tmp_path, words, said):
    _, err = command.run("plot", *words, "--db", shop, code=2, folder=tmp_path)
    assert said in err and not list(tmp_path.glob("x.*"))


def test_an_empty_file_makes_a_page_that_says_so(path, tmp_path):
    _, err = command.run("plot", "funnel", "--db", path, "-o", tmp_path / "f.html")
    assert "Nothing is stored" in err
    assert "Nothing is stored" in (tmp_path / "f.html").read_text(encoding="utf-8")
