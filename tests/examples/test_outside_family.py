"""A model family of another package, from its wheel to a served model, without a change to
Workbench.

The package is `examples/outside_family`. CONTRIBUTING.md tells these steps in words.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "outside_family"


def call(*words: object, packages: Path | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a Python command, with the packages of a folder besides those installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    paths = [str(path) for path in (packages, ROOT) if path is not None]
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the package's wheel is installed."""
    folder = tmp_path_factory.mktemp("packages")
    shutil.copytree(EXAMPLE, folder / "source")
    pip = ("-m", "pip", "--disable-pip-version-check")
    call(*pip, "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", folder, folder / "source")
    (wheel,) = folder.glob("*.whl")
    call(*pip, "install", "--no-deps", "--no-index", "--target", folder / "site", wheel)
    return folder / "site"


@pytest.fixture(scope="module")
def run(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search in which the family takes part: of a target that is partly linear and partly a
    ring.
    """
    folder = tmp_path_factory.mktemp("runs") / "rings"
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 3))
    score = 2.0 * (1.5 - x[:, 0] ** 2 - x[:, 1] ** 2) + 2.0 * x[:, 2] + random.logistic(size=400)
    lines = [
        f"{a:.3f},{b:.3f},{c:.3f},{'in' if each > 0 else 'out'}"
        for (a, b, c), each in zip(x, score, strict=True)
    ]
    table = folder.parent / "rings.csv"
    table.write_text("\n".join(["a,b,c,where", *lines]) + "\n", encoding="utf-8")
    words = ("--families", "prototypes,linear", "--trials", 5, "--workers", 1, "--out", folder)
    call("-m", "workbench", "search", table, "--target", "where", *words, packages=packages)
    return folder


def of_family(run: Path, family: str) -> str:
    """The id of the best candidate of a family, by the leaderboard as it is without the package."""
    rows = json.loads(call("-m", "workbench", "leaderboard", run, "--json").stdout)
    return str(next(row["id"] for row in rows if row["family"] == family and row["status"] == "ok"))


def test_it_is_listed_by_name_and_label(packages: Path) -> None:
    code = (
        "import sys; from workbench.families import family_names; names = family_names();"
        "print(names[-1], 'workbench_prototypes' in sys.modules);"
        "from workbench.display.words import family_name; print(family_name('prototypes'))"
    )
    assert call("-c", code, packages=packages).stdout == "prototypes False\nNearest prototypes\n"
    assert call("-c", code).stdout.splitlines()[1] == "prototypes"


def test_it_keeps_what_every_family_promises(packages: Path) -> None:
    tests = ROOT / "tests" / "families" / "test_contract.py"
    words = (
        "-m",
        "pytest",
        "-q",
        "-n0",
        "-p",
        "no:cacheprovider",
        f"--rootdir={ROOT}",
        tests,
        "-k",
        "prototypes",
    )
    assert "passed" in call(*words, packages=packages).stdout


def test_it_is_searched_and_recorded(run: Path) -> None:
    info = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert info["families"] == {"prototypes": {"package": "workbench-prototypes", "version": "0.1.0"}}
    assert info["libraries"]["workbench-prototypes"] == "0.1.0"
    rows = json.loads(call("-m", "workbench", "leaderboard", run, "--json").stdout)
    own = [row for row in rows if row["family"] == "prototypes"]
    baseline = next(row["score"] for row in rows if row["family"] == "baseline")
    assert len(own) >= 2
    assert all(row["status"] == "ok" and row["score"] > baseline and row["latency_p50_us"] > 0 for row in own)


@pytest.mark.parametrize("family", ["prototypes", "blend"])
def test_it_is_exported_verified_and_served(run: Path, packages: Path, tmp_path: Path, family: str) -> None:
    bundle = tmp_path / "bundle"
    pick = of_family(run, family)
    if family == "blend":
        members = json.loads((run / "candidates" / pick / "candidate.json").read_text(encoding="utf-8"))[
            "members"
        ]
        assert of_family(run, "prototypes") in members
    call("-m", "workbench", "export", run, "--pick", pick, "--out", bundle)
    checks = call("-m", "workbench", "verify", bundle).stdout
    assert "isolation" in checks
    assert "checks passed" in checks
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["libraries"]["workbench-prototypes"] == "0.1.0"
    golden = [json.loads(line) for line in (bundle / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
    answers = served(bundle, [each["input"] for each in golden[:5]])
    truth = [each["output"]["probabilities"] for each in golden[:5]]
    np.testing.assert_allclose(answers, truth, atol=1e-5)


def served(bundle: Path, rows: list[dict[str, object]]) -> list[list[float]]:
    """The probabilities that a server of the bundle returns."""
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "workbench", "serve", str(bundle), "--port", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready").close()
                break
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/predict",
            json.dumps({"rows": rows}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
    finally:
        server.terminate()
        server.wait()
    return [list(each["probabilities"].values()) for each in answer["predictions"]]


def test_without_the_package_the_error_names_it(run: Path, packages: Path) -> None:
    pick = of_family(run, "prototypes")
    failed = call("-m", "workbench", "reproduce", run, pick, code=2).stderr
    assert failed.count("\n") == 1
    assert "package workbench-prototypes 0.1.0 is not installed" in failed
    assert "pip install workbench-prototypes==0.1.0" in failed
    again = call("-m", "workbench", "reproduce", run, pick, packages=packages).stdout
    assert "agree" in again
    assert "do not agree" not in again


def test_a_run_is_resumed_without_the_package(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "rings"
    shutil.copytree(run, copy)
    done = call("-m", "workbench", "resume", copy, "--trials", 1)
    assert (
        "without prototypes (package workbench-prototypes==0.1.0): not installed" in done.stderr + done.stdout
    )
    info = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    info["settings"]["families"] = ["prototypes"]
    (copy / "run.json").write_text(json.dumps(info), encoding="utf-8")
    failed = call("-m", "workbench", "resume", copy, "--trials", 1, code=2).stderr
    assert "pip install workbench-prototypes==0.1.0" in failed
