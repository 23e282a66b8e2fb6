from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.ui.made import NASTY, write_run
from workbench.api import open_run
from workbench.cli.entry import main
from workbench.report import report_html, write_report


class Elements(HTMLParser):
    """What a document holds, and every address that it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]


def elements(document: str) -> Elements:
    found = Elements()
    found.feed(re.sub(r"<script[^>]*>.*?</script>", "<script></script>", document, flags=re.DOTALL))
    return found


def body(document: str) -> str:
    return document[document.index("<main>") :]


def test_a_report_stands_alone_and_has_every_section(searched: Path, tmp_path: Path) -> None:
    run = open_run(searched / "runs" / "small")
    path = write_report(run, tmp_path / "new" / "report.html", run.pick("balanced", costs=(5, 40)))
    document = path.read_text(encoding="utf-8")
    found = elements(document)
    assert found.loads == []
    assert found.tags.count("figure") == 7  # front, four curves, cost, drivers
    for title in ("The choice", "Quality", "Cost of mistakes", "Column importance", "How to reproduce it"):
        assert title in body(document)
    assert run.pick("balanced").id in document
    assert run.info["data"]["fingerprint"] in document


@pytest.mark.parametrize(
    ("fixture", "name"), [("searched_numbers", "numbers"), ("searched_classes", "classes")]
)
def test_numbers_and_classes_are_reported(fixture: str, name: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(fixture)
    document = body(report_html(open_run(folder / "runs" / name)))
    assert "Could not be computed" not in document
    assert "Cost of mistakes" not in document


def test_markup_is_shown_and_what_is_lacking_is_said(tmp_path: Path) -> None:
    findings = [{"code": "leak", "severity": "warning", "column": NASTY, "message": "x"}]
    folder = write_run(tmp_path / "made", data={"name": NASTY, "rows": 5}, findings=findings)
    document = body(report_html(open_run(folder)))
    assert "<img" not in document
    assert "<script>alert" not in document
    assert "&lt;script&gt;alert" in document
    assert "Could not be computed" in document  # the made run has no predictions
    assert "out of memory" in document


def test_the_command_writes_the_same(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r.html"
    words = ["report", str(searched / "runs" / "small"), "--pick", "best", "--out", str(out), "--json"]
    assert main([*words, "--wrong-yes", "5", "--wrong-no", "40"]) == 0
    assert json.loads(capsys.readouterr().out)["report"] == str(out)
    assert "Cost of mistakes" in out.read_text(encoding="utf-8")
    assert main([*words, "--wrong-yes", "5"]) == 2
    assert "both or neither" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "gone")]) == 2
