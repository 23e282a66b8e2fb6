from __future__ import annotations

from pathlib import Path

from tests.ui.made import open_page, words_of


def test_the_report_is_made_when_asked(searched: Path) -> None:
    app = open_page(searched, "report", run="small", pick="best")
    assert not app.exception
    assert "workbench report" in words_of(app)
    assert not app.get("download_button")
    app.button(key="make").click().run()
    assert not app.exception
    assert "The report is ready" in words_of(app)
    assert len(app.get("download_button")) == 1


def test_without_a_run_the_way_is_shown(tmp_path: Path) -> None:
    assert "There are no runs yet" in words_of(open_page(tmp_path, "report"))
