"""Distilled models: the rows that score a student did not influence it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.automl.test_engine import frame, settings
from workbench.automl.engine import search
from workbench.automl.records.candidate import Candidate
from workbench.automl.records.messages import Setup, TeacherTask
from workbench.automl.records.run_folder import RunFolder
from workbench.automl.worker.ensembling.distillation import _path, fit_teacher
from workbench.automl.worker.retrain import reproduce
from workbench.automl.worker.task_loop import open_workspace
from workbench.automl.worker.workspace import Workspace


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    families = ("lightgbm", "linear", "extra_trees")
    return search(
        frame(400), settings(trials=16, families=families), tmp_path_factory.mktemp("runs") / "taught"
    )


@pytest.fixture(scope="module")
def student(run: RunFolder) -> Candidate:
    (found,) = (each for each in run.candidates() if each.taught)
    return found


def opened(run: RunFolder) -> Workspace:
    plan = run.info["plan"]
    setup = Setup(run.path, run.problem, run.info["metric"], plan["folds"], "", 0, plan["repeats"])
    (run.path / "cache").mkdir(exist_ok=True)
    return open_workspace(setup)


@pytest.mark.slow
def test_a_student_is_a_candidate(run: RunFolder, student: Candidate) -> None:
    assert student.status == "ok", student.reason
    assert (student.id, student.family, student.kind, student.models) == ("t0001", "lightgbm", "single", 1)
    assert set(student.members) <= {each.id for each in run.candidates()}
    assert sum(student.members.values()) == pytest.approx(1.0)
    assert student.score is not None and student.score.value > 0.6
    answers = run.predictor(student.id).predict_columns(run.dataset().columns)
    assert np.isfinite(answers).all() and (answers >= 0).all()
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, rtol=1e-5)


@pytest.mark.slow
def test_a_folds_validation_labels_do_not_influence_its_student(run: RunFolder, student: Candidate) -> None:
    task = TeacherTask(student.members, 0)
    plain, other = opened(run), opened(run)
    valid = plain.splits[0][1]
    flipped = np.array(other.dev.y)
    flipped[valid] = 1 - flipped[valid]
    other.dev = replace(other.dev, y=flipped)
    found = []
    for space in (plain, other):
        assert fit_teacher(task, space).wrong == ""
        found.append(np.load(_path(space, task.weights, 0)))
    np.testing.assert_array_equal(*found)
    train = plain.splits[0][0]
    assert (found[0][train] > 0).all() and not found[0][valid].any()


@pytest.mark.slow
def test_a_student_is_reproduced(run: RunFolder, student: Candidate) -> None:
    report = reproduce(run, student.id)
    assert report.same, report


@pytest.mark.slow
def test_few_candidates_have_no_student(tmp_path: Path) -> None:
    made = search(frame(), settings(trials=4), tmp_path / "few")
    assert not [each for each in made.candidates() if each.taught]
