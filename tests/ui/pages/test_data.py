from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.made import NASTY, open_page, words_of
from workbench.ui.files.uploads import Source, digest_of
from workbench.ui.state.drafts import Draft


@pytest.fixture
def app(tmp_path: Path) -> AppTest:
    rows = [f"{at},{at % 4},same,{at * 1.5},{'yn'[at % 2]}" for at in range(60)]
    path = tmp_path / "data" / "sales.csv"
    path.parent.mkdir()
    path.write_text("\n".join([f'id,region,"{NASTY}",fee,sold', *rows]))
    return open_page(tmp_path, "data")


def pick(app: AppTest) -> AppTest:
    app.segmented_control(key="source").set_value("A table on the server").run()
    return app.selectbox(key="table").set_value("sales.csv").run()


def draft(app: AppTest) -> Draft:
    kept = app.session_state["draft"]
    assert isinstance(kept, Draft)
    return kept


def target(app: AppTest, name: str) -> AppTest:
    return app.selectbox(key=f"target:{draft(app).source.digest}").set_value(name).run()


def test_without_a_table_the_page_says_what_to_do(app: AppTest) -> None:
    assert not app.exception
    assert "Choose a table to continue." in words_of(app)


def test_a_table_is_looked_at_and_its_target_chosen(app: AppTest) -> None:
    app = pick(app)
    assert not app.exception
    assert [metric.value for metric in app.metric][:2] == ["60", "5"]
    assert app.button(key="next").disabled
    app = target(app, "sold")
    assert not app.exception
    assert draft(app).target == "sold"
    assert "is yes or no" in words_of(app)
    assert not app.button(key="next").disabled


def test_markup_in_a_heading_is_shown(app: AppTest) -> None:
    words = words_of(target(pick(app), "sold"))
    assert "\\<script\\>" in words
    assert "<script>" not in words.replace("\\<", "")


def test_columns_can_be_left_out_and_taken_back(app: AppTest) -> None:
    app = target(pick(app), "sold")
    kept = draft(app)
    app.session_state["draft"] = Draft(kept.original, kept.source, "sold", ("fee",))
    app.run()
    assert not app.exception
    [left_out] = [each for each in app.multiselect if each.label == "Columns left out"]
    left_out.set_value([]).run()
    assert draft(app).drop == ()


def test_a_kind_can_be_corrected(app: AppTest) -> None:
    app = target(pick(app), "sold")
    app.selectbox(key="kind_column").set_value("region")
    app.selectbox(key="kind_as").set_value("category")
    app.button(key="kind_apply").click().run()
    assert not app.exception
    assert draft(app).kinds == {"region": "category"}
    assert draft(app).source == draft(app).original  # the run keeps the kind, not a changed copy of the file
    assert "region → category" in words_of(app)
    assert draft(app).target == "sold"


def test_a_warning_has_a_button_that_leaves_its_column_out(tmp_path: Path) -> None:
    rows = [f"{at % 5},{'yn'[at % 2]},{'yn'[at % 2]}" for at in range(80)]
    path = tmp_path / "leaky.csv"
    path.write_text("\n".join(["a,answer,sold", *rows]))
    source = Source(path, "leaky.csv", digest_of(path))
    app = open_page(tmp_path, "data", state={"draft": Draft(source, source, "sold")})
    assert "answer" in words_of(app)
    button = next(each for each in app.button if (each.key or "").startswith("finding:"))
    button.click().run()
    assert not app.exception
    assert draft(app).drop == ("answer",)


def test_a_sample_comes_with_its_target(app: AppTest) -> None:
    app.segmented_control(key="source").set_value("A sample").run()
    app.selectbox(key="sample").set_value("iris").run()
    assert not app.exception
    assert draft(app).target == "species"


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"not parquet")
    source = Source(path, "t.parquet", digest_of(path))
    app = open_page(tmp_path, "data", state={"draft": Draft(source, source)})
    assert not app.exception
    assert len(app.error) == 1


def test_an_upload_is_kept_apart_until_it_is_saved(app: AppTest, tmp_path: Path) -> None:
    app.file_uploader(key="upload").set_value(("../../up.csv", b"a,b\n1,x\n2,y\n", "text/csv")).run()
    assert not app.exception
    assert draft(app).source.path.is_relative_to(tmp_path / "runs" / ".app" / "uploads")
    assert "up\\.csv" in words_of(app)


def test_a_viewer_cannot_bring_tables(tmp_path: Path) -> None:
    app = open_page(tmp_path, "data", state={"role": "viewer"})
    assert "analyst" in app.warning[0].value
    assert not app.file_uploader


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    rows = [f"{at},{'łż'[at % 2]},{'yn'[at % 3 == 0]}" for at in range(80)]
    path = tmp_path / "polish.csv"
    path.write_bytes("\n".join(["ilość,litera,sprzedane", *rows]).encode("cp1250"))
    source = Source(path, "polish.csv", digest_of(path))
    app = open_page(tmp_path, "data", state={"draft": Draft(source, source)})
    box = next(each for each in app.selectbox if (each.key or "").startswith("encoding:"))
    box.set_value("cp1250").run()
    assert not app.exception
    assert draft(app).encoding == "cp1250"
    names = next(each for each in app.selectbox if (each.key or "").startswith("target:")).options
    assert list(names) == ["ilość", "litera", "sprzedane"]
