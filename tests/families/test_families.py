from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from workbench.errors import SettingsError
from workbench.families import all_families, get_families


def test_families_are_listed_by_name_in_a_fixed_order() -> None:
    names = [
        "baseline",
        "lightgbm",
        "linear",
        "random_forest",
        "extra_trees",
        "xgboost",
        "catboost",
        "mlp",
        "additive",
    ]
    if find_spec("catboost") is None:
        names.remove("catboost")
    assert list(all_families()) == names
    assert [family.name for family in all_families().values()] == names


def test_selected_families_keep_the_order_without_duplicates() -> None:
    assert list(get_families([" mlp ", "lightgbm", "mlp"])) == ["lightgbm", "mlp"]


def test_an_unknown_family_suggests_the_nearest_name() -> None:
    with pytest.raises(SettingsError, match=r"'lightgmb'.*Did you mean lightgbm"):
        get_families(["lightgmb"])


def test_no_family() -> None:
    with pytest.raises(SettingsError, match="no model family"):
        get_families([])


def test_importing_the_families_loads_no_training_library() -> None:
    code = (
        "import sys, workbench.families\n"
        "names = ('lightgbm', 'xgboost', 'catboost', 'sklearn', 'scipy', 'onnx')\n"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
