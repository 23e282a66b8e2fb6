"""The names that scripts hold on to."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import workbench.automl.records.settings",
        "from workbench.automl.records.run_folder import RunFolder",
        "import workbench.automl.engine as e",
    ],
)
def test_search_can_be_called_whatever_was_imported_before(before: str) -> None:
    code = (
        f"{before}\nimport workbench as wb\n"
        "from workbench.errors import DataError\n"
        "for _ in range(2):\n"
        "    try: wb.search('no-such-file.csv', target='y', time='9s')\n"
        "    except DataError as error: print('refused', 'no-such-file' in str(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["refused", "True"] * 2, done.stderr


def test_the_verb_search_is_a_plain_function() -> None:
    import inspect
    import pickle

    import workbench
    import workbench.automl.engine

    assert inspect.isfunction(workbench.search)
    assert {"data", "target", "time"} <= set(inspect.signature(workbench.search).parameters)
    assert pickle.loads(pickle.dumps(workbench.search)) is workbench.search


def test_every_public_name_is_there() -> None:
    import workbench

    for name in set(workbench.__all__) - {"__version__"}:
        assert callable(getattr(workbench, name))
