from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import workbench.ui

from .made import write_run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", [ROOT / "app.py", Path(workbench.ui.__file__).parent / "entry" / "app.py"])
def test_both_entries_show_the_runs_of_the_folder_given(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "runs" / "churn")
    monkeypatch.setattr("sys.argv", ["app.py", str(tmp_path / "runs")])
    app = AppTest.from_file(str(script), default_timeout=60).run()
    assert not app.exception
    assert app.title[0].value == "Pick the right model for your table"
    assert any("churn" in each.value for each in app.markdown)
