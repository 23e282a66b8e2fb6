"""The suite draws the same for everybody; ``scripts/fuzz`` draws afresh, and again by its seed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import drawing

ROOT = Path(__file__).parents[1]
DRAWN = """
import json, os
from hypothesis import HealthCheck, given, settings, strategies as st

@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.integers(), st.floats(), st.sampled_from("abc"), st.dictionaries(st.text(), st.binary()))
def test_anything(a, b, c, d, e):
    drawn = [a, b, c, d, e]
    with open(os.environ["DRAWN"], "a") as file:
        file.write(json.dumps(repr(drawn)) + "\\n")

@given(st.integers(0, 9))
def test_small(number):
    assert number < 10
"""
CONFTEST = """
from tests import drawing
drawing.settle()

def pytest_collection_modifyitems(items):
    drawing.settle_each(items)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "drawn"
    folder.mkdir()
    (folder / "test_drawn.py").write_text(DRAWN)
    (folder / "conftest.py").write_text(CONFTEST)
    return folder


def drawn(place: Path, *words: str, **environment: str) -> list[str]:
    """Run a test of random inputs in a process of its own, and return what it drew."""
    out = place / "drawn.jsonl"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", str(place), *words],
        cwd=ROOT,
        env={**os.environ, "DRAWN": str(out), "WORKBENCH_FUZZ": "0", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return out.read_text().splitlines()


def test_the_suite_draws_the_same_whatever_was_imported_hashed_or_found_before(place: Path) -> None:
    first = drawn(place, PYTHONHASHSEED="1")
    (place / "test_a.py").write_text("import workbench.ui.launch, workbench.runtime.core.encoder\n")
    assert drawn(place, PYTHONHASHSEED="2") == first
    assert len(set(first)) > 20


@pytest.mark.slow
def test_fresh_inputs_follow_from_their_seed_and_are_more(place: Path) -> None:
    first, same, other = (drawn(place, f"--hypothesis-seed={seed}", WORKBENCH_FUZZ="3") for seed in (1, 1, 2))
    assert first == same != other
    assert 100 < len(first) <= 3 * 40


def test_no_test_of_the_suite_depends_on_how_long_drawing_takes(request: pytest.FixtureRequest) -> None:
    drawing.settle_each([])
    tests = [item.obj for item in request.session.items if item.get_closest_marker("hypothesis")]
    for test in tests:
        own = test._hypothesis_internal_use_settings
        assert own.deadline is None
        assert drawing.HealthCheck.too_slow in own.suppress_health_check
        assert own.derandomize != bool(drawing.fuzz_factor())


def fuzz(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "fuzz", "-n", "0", *words],
        cwd=ROOT,
        env={**os.environ, "DRAWN": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


def test_fuzz_ends_with_a_command_that_repeats_a_failure(place: Path) -> None:
    (place / "test_drawn.py").write_text(DRAWN.replace("number < 10", "number < 9"))
    done = fuzz("--rounds", "2", "--seed", "7", "--examples", "3", str(place))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "seed 7" in done.stdout and "seed 8" not in done.stdout, "it stops at the first failure"
    (again,) = re.findall(r"scripts/fuzz --rounds 1 --seed 7 --examples 3 .*", done.stdout)
    assert str(place) in again


@pytest.mark.slow
def test_fuzz_takes_another_seed_each_round(place: Path) -> None:
    done = fuzz("--rounds", "2", "--seed", "7", str(place))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"seed (\d+)", done.stdout) == ["7", "8"]
    assert fuzz("--time", "soon").returncode == 2
