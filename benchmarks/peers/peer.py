"""Fit and use one peer. Runs with the Python of that peer's environment, in a process for each
step::

    python peer.py fit job.json        start-up, reading, training as asked, saving
    python peer.py predict job.json    the saved model opened again: test rows, one-row latency, size

Every peer gets the metric by which it is judged, the same number of cores, and the frame as it was
read.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from timing import one_row_us, size_mb

_ROWS = 200


@dataclass(frozen=True, slots=True)
class Job:
    """What a peer is asked to do: paths, the task, and seconds, cores and seed to train with."""

    system: str
    train: str
    test: str
    folder: str
    target: str
    task: str
    budget_s: float
    cores: int
    seed: int

    @property
    def model(self) -> Path:
        """Where the peer saves its model."""
        return Path(self.folder) / "model"

    def read(self, path: str) -> pd.DataFrame:
        """Read a frame as this version of pandas holds it."""
        return pq.read_table(path).to_pandas()


Predict = Callable[[pd.DataFrame], np.ndarray]


class AutoGluon:
    """AutoGluon Tabular with a preset, kept in memory for prediction (`persist`), its deployment
    clone weighed.
    """

    package = "autogluon.tabular"
    metrics: ClassVar = {
        "binary": "roc_auc",
        "multiclass": "log_loss",
        "regression": "root_mean_squared_error",
    }

    def __init__(self, preset: str) -> None:
        self.preset = preset

    def fit(self, job: Job) -> None:
        """Train as the job asks, and save."""
        from autogluon.tabular import TabularPredictor

        predictor = TabularPredictor(
            label=job.target,
            problem_type=job.task,
            eval_metric=self.metrics[job.task],
            path=str(job.model),
            verbosity=1,
        )
        predictor.fit(
            job.read(job.train), time_limit=job.budget_s, presets=self.preset, num_cpus=job.cores, num_gpus=0
        )

    def load(self, job: Job) -> tuple[Predict, list[str], Path, str]:
        """Open what was saved: how it predicts, the classes, what to keep of it, and the model it
        chose.
        """
        from autogluon.tabular import TabularPredictor

        predictor = TabularPredictor.load(str(job.model))
        small = Path(predictor.clone_for_deployment(str(Path(job.folder) / "deployed"), return_clone=False))
        predictor.persist()
        if job.task == "regression":
            return lambda frame: predictor.predict(frame).to_numpy(), [], small, str(predictor.model_best)
        classes = [str(label) for label in predictor.class_labels]
        return (
            lambda frame: predictor.predict_proba(frame).to_numpy(),
            classes,
            small,
            str(predictor.model_best),
        )


class Flaml:
    """FLAML's AutoML with its default estimators, pickled.

    Its columns are numbered: it fails on names with a comma or a quote ("Do not support special
    JSON characters").
    """

    package = "flaml"
    metrics: ClassVar = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}

    def fit(self, job: Job) -> None:
        """Train as the job asks, and save."""
        from flaml import AutoML

        frame = job.read(job.train)
        automl = AutoML()
        automl.fit(
            self._numbered(frame.drop(columns=job.target)),
            frame[job.target],
            task="regression" if job.task == "regression" else "classification",
            metric=self.metrics[job.task],
            time_budget=job.budget_s,
            n_jobs=job.cores,
            seed=job.seed,
            verbose=0,
        )
        job.model.mkdir()
        (job.model / "automl.pkl").write_bytes(pickle.dumps(automl, protocol=pickle.HIGHEST_PROTOCOL))

    def load(self, job: Job) -> tuple[Predict, list[str], Path, str]:
        """Open what was saved: how it predicts, the classes, what to keep of it, and the model it
        chose.
        """
        automl = pickle.loads((job.model / "automl.pkl").read_bytes())
        chosen = str(automl.best_estimator)
        if job.task == "regression":
            return lambda frame: automl.predict(self._numbered(frame)), [], job.model, chosen
        classes = [str(label) for label in automl.classes_]
        return lambda frame: automl.predict_proba(self._numbered(frame)), classes, job.model, chosen

    @staticmethod
    def _numbered(X: pd.DataFrame) -> pd.DataFrame:
        return X.set_axis([f"f{at}" for at in range(X.shape[1])], axis=1)


class Mljar:
    """mljar-supervised in the mode Compete."""

    package = "mljar-supervised"
    tasks: ClassVar = {
        "binary": "binary_classification",
        "multiclass": "multiclass_classification",
        "regression": "regression",
    }
    metrics: ClassVar = {"binary": "auc", "multiclass": "logloss", "regression": "rmse"}

    def fit(self, job: Job) -> None:
        """Train as the job asks, and save."""
        from supervised import AutoML

        frame = job.read(job.train)
        automl = AutoML(
            results_path=str(job.model),
            mode="Compete",
            ml_task=self.tasks[job.task],
            eval_metric=self.metrics[job.task],
            total_time_limit=int(job.budget_s),
            n_jobs=job.cores,
            random_state=job.seed,
            explain_level=0,
            verbose=0,
        )
        automl.fit(frame.drop(columns=job.target), frame[job.target])

    def load(self, job: Job) -> tuple[Predict, list[str], Path, str]:
        """Open what was saved: how it predicts, the classes, what to keep of it, and the model it
        chose.
        """
        from supervised import AutoML

        automl = AutoML(results_path=str(job.model))
        if job.task == "regression":
            return automl.predict, [], job.model, ""
        named = automl.predict_all(job.read(job.test).head(2)).columns
        found = [name.removeprefix("prediction_") for name in named if name.startswith("prediction_")]
        return lambda frame: np.asarray(automl.predict_proba(frame)), found, job.model, ""


class LightGBM:
    """LightGBM with its defaults and text as native categories: the reference that takes no
    budget.
    """

    package = "lightgbm"

    def fit(self, job: Job) -> None:
        """Train as the job asks, and save."""
        import lightgbm

        frame = job.read(job.train)
        X, levels = frame.drop(columns=job.target), {}
        for name in X.columns:
            if not pd.api.types.is_numeric_dtype(X[name]):
                levels[name] = sorted(X[name].dropna().map(str).unique())
        kind = lightgbm.LGBMRegressor if job.task == "regression" else lightgbm.LGBMClassifier
        model = kind(n_jobs=job.cores, random_state=job.seed, verbosity=-1)
        model.fit(self._encode(X, levels), frame[job.target])
        job.model.mkdir()
        (job.model / "model.pkl").write_bytes(pickle.dumps((model, levels), protocol=pickle.HIGHEST_PROTOCOL))

    @staticmethod
    def _encode(X: pd.DataFrame, levels: dict[str, list[str]]) -> pd.DataFrame:
        out = X.copy()
        for name, known in levels.items():
            out[name] = pd.Categorical(out[name].map(str, na_action="ignore"), categories=known)
        out.columns = [f"f{at}" for at in range(out.shape[1])]
        return out

    def load(self, job: Job) -> tuple[Predict, list[str], Path, str]:
        """Open what was saved: how it predicts, the classes, what to keep of it, and the model it
        chose.
        """
        model, levels = pickle.loads((job.model / "model.pkl").read_bytes())
        if job.task == "regression":
            return lambda frame: model.predict(self._encode(frame, levels)), [], job.model, "gbdt"
        classes = [str(label) for label in model.classes_]
        return lambda frame: model.predict_proba(self._encode(frame, levels)), classes, job.model, "gbdt"


PEERS = {
    "autogluon_medium": lambda: AutoGluon("medium_quality"),
    "autogluon_best": lambda: AutoGluon("best_quality"),
    "flaml": Flaml,
    "mljar": Mljar,
    "lightgbm": LightGBM,
}


def predict(job: Job) -> None:
    """Predict the test rows with the saved model, time single rows, and write both."""
    folder, peer = Path(job.folder), PEERS[job.system]()
    run, classes, artifact, chosen = peer.load(job)
    test = job.read(job.test)
    output = np.asarray(run(test), dtype=np.float64)
    if job.task == "binary" and output.ndim == 1:
        output = np.column_stack([1 - output, output])
    np.savez(folder / "predictions.npz", output=output)
    rows = [test.iloc[[at]] for at in range(min(_ROWS, len(test)))]
    facts: dict[str, Any] = {"classes": classes, "artifact_mb": size_mb(artifact), "chosen": chosen}
    facts["version"] = version(peer.package)
    (folder / "evaluation.json").write_text(json.dumps(facts), encoding="utf-8")
    facts.update(one_row_us(run, rows))
    (folder / "evaluation.json").write_text(json.dumps(facts), encoding="utf-8")


def main() -> None:
    """Do one step of one job."""
    step, path = sys.argv[1:]
    job = Job(**json.loads(Path(path).read_text(encoding="utf-8")))
    if step == "fit":
        PEERS[job.system]().fit(job)
    else:
        predict(job)


if __name__ == "__main__":
    main()
