from __future__ import annotations

from pathlib import Path

import pytest

from workbench.export.documents.card import plain
from workbench.runtime.bundle.manifest import Manifest


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_card_says_what_a_person_asks(bundles: dict[str, Path], task: str) -> None:
    card = (bundles[task] / "MODEL_CARD.md").read_text(encoding="utf-8")
    metric = Manifest.read(bundles[task]).metric
    for words in (
        f"{metric.name} **{metric.value:.4g}**, 95 % interval {metric.low:.4g} to {metric.high:.4g}",
        "240 rows of made.csv",
        "Ada picked c0002 by id",
        "> because it is \\*good\\*",
        "column 'id' is left out",
        "A missing value is an error in flag, when",
        "A million predictions: $",
    ):
        assert words in card


def test_names_from_the_data_are_shown_not_obeyed(bundles: dict[str, Path]) -> None:
    card = (bundles["multiclass"] / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "<i>" not in card
    assert "<b>" not in card
    drives, takes = (rows_of(card, title) for title in ("## Feature importance", "## Inputs"))
    assert all(line.replace("\\|", "").count("|") == 6 for line in drives)
    assert any(line.startswith("| size \\| cm | ") for line in drives)
    assert all(line.replace("\\|", "").count("|") == 5 for line in takes)
    assert takes[1] == "| size \\| cm | number | yes | -3 to 3 |"


def rows_of(card: str, title: str) -> list[str]:
    part = card.split(f"{title}\n")[1].split("\n## ", maxsplit=1)[0]
    return [line for line in part.splitlines() if line.startswith("| ")]


def test_plain_keeps_one_line_and_opens_nothing() -> None:
    assert plain("a\nb\t[x](javascript:1) `c` *d*") == "a b \\[x\\](javascript:1) 'c' \\*d\\*"


def test_the_readme_names_the_three_commands(bundles: dict[str, Path]) -> None:
    text = (bundles["binary"] / "README.md").read_text(encoding="utf-8")
    for verb in ("predict rows.csv --out predictions.csv", "serve --port 8080", "check"):
        assert f"python -m runtime {verb}" in text
