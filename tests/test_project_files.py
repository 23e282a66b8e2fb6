"""What a repository is published with: versions, links, extras and CI agree with each other."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

import workbench

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAME = PROJECT["project"]["name"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
REPOSITORY = PROJECT["project"]["urls"]["Repository"]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob(".github/**/*.md"), *ROOT.glob("docs/**/*.md")})
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def version() -> str:
    return workbench.__version__


def releases() -> list[tuple[str, str]]:
    """Return the versions in the changelog with their dates, the newest first."""
    return re.findall(r"^## \[(\d[^\]]*)\] - (\d{4}-\d\d-\d\d)$", read("CHANGELOG.md"), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def check() -> ModuleType:
    """The script ``scripts/check`` as a module."""
    loader = SourceFileLoader("check", str(ROOT / "scripts" / "check"))
    spec = importlib.util.spec_from_loader("check", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_version_is_the_same_everywhere() -> None:
    citation = read_yaml(ROOT / "CITATION.cff")
    newest, date = releases()[0]
    assert version() == newest == citation["version"]
    assert date == str(citation["date-released"])


def test_the_version_has_one_definition() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "workbench.version.__version__"}
    modules = [path.read_text(encoding="utf-8") for path in (ROOT / "workbench").rglob("*.py")]
    assert sum(text.count(f'"{version()}"') for text in modules) == 1
    words = [sys.executable, "-m", "workbench", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"workbench {version()}\n"


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    text = read("CHANGELOG.md")
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert headings[1:] == [f"[{each}] - {date}" for each, date in releases()]
    linked = re.findall(r"^\[([^\]]+)\]: (\S+)$", text, flags=re.MULTILINE)
    assert [name for name, _ in linked] == ["Unreleased", *(each for each, _ in releases())]
    assert all(url.startswith(f"{REPOSITORY}/") for _, url in linked)
    assert f"v{version()}...HEAD" in dict(linked)["Unreleased"]
    order = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.*)$", section, flags=re.MULTILINE)
        assert kinds == [each for each in order if each in kinds], section.splitlines()[0]
        body = section.partition("### ")[2]
        lines = [line for line in body.splitlines()[1:] if line and not line.startswith(("### ", "["))]
        assert all(line.startswith("- ") for line in lines), "an entry is one line that begins with '- '"


def test_one_address_is_named() -> None:
    """Every link to this project leads to the repository that pyproject.toml names."""
    assert read_yaml(ROOT / "CITATION.cff")["repository-code"] == REPOSITORY
    assert all(url.startswith(REPOSITORY) for url in PROJECT["project"]["urls"].values())
    own = re.compile(r"https://github\.com/[\w.-]+/workbench\b")
    for document in DOCUMENTS:
        assert set(own.findall(document.read_text(encoding="utf-8"))) <= {REPOSITORY}, label(document)


def test_the_pythons_are_the_same_everywhere() -> None:
    matrix = read_yaml(WORKFLOW)["jobs"]["quick"]["strategy"]["matrix"]
    mark = "Programming Language :: Python :: 3."
    stated = [
        f"3.{each.removeprefix(mark)}" for each in PROJECT["project"]["classifiers"] if each.startswith(mark)
    ]
    assert matrix["python"] == stated
    assert PROJECT["project"]["requires-python"] == f">={stated[0]}"
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{stated[0].replace('.', '')}"
    assert all(each in read("docs/versioning.md") for each in stated)


def test_the_workflow_runs_what_contributors_run() -> None:
    document = read_yaml(WORKFLOW)
    triggers = document[True]  # YAML 1.1 reads the key `on` as true
    assert {"push", "pull_request"} <= set(triggers)
    steps = {name: [step.get("run") for step in job["steps"]] for name, job in document["jobs"].items()}
    assert ".ci/run" in steps["all"]
    assert {'python -m pip install -e ".[dev]"', "scripts/check"} <= set(steps["quick"])
    assert document["permissions"] == {"contents": "read"}


def test_ci_checks_with_the_same_script() -> None:
    text = read(".ci/run")
    assert "scripts/check lint types" in text
    assert not re.findall(r"\b(?:ruff|mypy)\b", text)
    assert text.rstrip().endswith('tail -n 1 "$workspace/pytest.log"')


def test_the_steps_of_the_check(check: ModuleType) -> None:
    commands = {step: check.commands(step, "2") for step in check.STEPS}
    assert [command[2:] for command in commands["lint"]] == [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
    ]
    assert [command[2:] for command in commands["types"]] == [["mypy"]]
    assert set(check.QUICK_TESTS) < set(commands["tests"][0])
    missing = [each for each in (*check.QUICK_TESTS, *check.LEFT_OUT) if not (ROOT / each).exists()]
    assert not missing
    assert label(Path(__file__)) in check.QUICK_TESTS


def test_the_check_reports_every_step_that_fails(
    check: ModuleType, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ends = {"lint": 1, "types": 0, "tests": 3}
    monkeypatch.setattr(check, "commands", lambda step, _: [[sys.executable, "-c", f"exit({ends[step]})"]])
    assert check.main([]) == 1
    assert capfd.readouterr().err == "failed: lint, tests\n"
    assert check.main(["types"]) == 0


def test_the_check_refuses_an_unknown_step() -> None:
    words = [sys.executable, str(ROOT / "scripts" / "check"), "lints"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "STEP: found 'lints'; expected one of lint, types, tests" in done.stderr


def test_hooks_have_the_versions_of_the_extra_dev() -> None:
    hooks = [hook for repo in read_yaml(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    pins = {pin for hook in hooks for pin in hook.get("additional_dependencies", ())}
    assert pins
    assert pins <= set(EXTRAS["dev"])
    assert {"scripts/check types"} == {hook["entry"] for hook in hooks if hook["language"] == "system"}


def test_extras_that_name_extras_name_known_ones() -> None:
    for extra, lines in EXTRAS.items():
        for need in map(Requirement, lines):
            if need.name == NAME:
                assert need.extras <= set(EXTRAS) - {extra}


@pytest.mark.parametrize("document", DOCUMENTS, ids=label)
def test_every_extra_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(rf"(?:{re.escape(NAME)}|-e [\"']?\.)\[([\w,-]+)\]", text)
    named += re.findall(r"\bextra `(\w+)`", text)
    assert {each for names in named for each in names.split(",")} <= set(EXTRAS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=label)
def test_links_lead_to_files(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(
        r"^\[[^\]]+\]: (\S+)$", text, flags=re.MULTILINE
    )
    for link in links:
        name = link.partition("#")[0]
        if name and not re.match(r"https?:", name):
            assert (document.parent / name).exists(), link


@pytest.mark.parametrize("path", FORMS, ids=label)
def test_issue_forms_are_whole(path: Path) -> None:
    form = read_yaml(path)
    if path.stem == "config":
        assert form == {"blank_issues_enabled": False}
        return
    assert form["name"]
    assert form["description"]
    fields = [each for each in form["body"] if each["type"] != "markdown"]
    assert all(each["attributes"]["label"] for each in fields)
    ids = [each["id"] for each in fields]
    assert len(set(ids)) == len(ids)
    assert any(each.get("validations", {}).get("required") for each in fields)


def test_the_formats_in_the_policy_are_those_that_are_read() -> None:
    from workbench.automl.records.run_folder import RUN_FORMAT
    from workbench.runtime.bundle.manifest import FORMAT_VERSION
    from workbench.tradeoff.run_decision import DECISION_FORMAT

    rows = re.findall(
        r"^\| ([\w ]+) \| `format\w*` .*\| ([\d, ]+) \|$", read("docs/versioning.md"), flags=re.MULTILINE
    )
    known = {name: [int(each) for each in numbers.split(", ")] for name, numbers in rows}
    newest = {"run folder": RUN_FORMAT, "decision": DECISION_FORMAT, "bundle": FORMAT_VERSION}
    assert known == {name: list(range(1, number + 1)) for name, number in newest.items()}
