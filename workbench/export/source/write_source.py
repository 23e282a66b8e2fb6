"""Write a predictor's scorer in the languages asked for, once it is held against the predictor."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.automl.worker.parity import difficult_rows
from workbench.data.dataset import Dataset
from workbench.errors import ExportError, SettingsError, shown
from workbench.runtime.bundle.manifest import Manifest
from workbench.runtime.core.schema import Levels
from workbench.runtime.model.predictor import Predictor

from .features import encode
from .formulas import Program
from .languages import LANGUAGES, python
from .model_formulas import add_model

SOURCE_FOLDER = "source"
TOLERANCE = 2e-5
_MOST_NODES = 60_000
_ROWS = 300


def check_languages(languages: Sequence[str]) -> tuple[str, ...]:
    """Return the languages.

    Raises
    ------
    SettingsError
        If one is not supported.
    """
    unknown = sorted(set(languages) - set(LANGUAGES))
    if unknown:
        raise SettingsError("code", found=shown(unknown[0]), expected=f"one of {', '.join(LANGUAGES)}")
    return tuple(languages)


def source_head(manifest: Manifest) -> str:
    """Return the line that says which model a source is of."""
    # it stands in a comment, which C continues after a backslash and Java ends at a backslash with u000a
    target = manifest.target.replace("\\", "/")
    return f"{manifest.name}, version {manifest.version}: predicts {target}; model {manifest.model_id}."


def source_files(predictor: Predictor, languages: Sequence[str], data: Dataset, about: str) -> dict[str, str]:
    """Return the scorer as source text, by path in the bundle.

    Parameters
    ----------
    predictor : Predictor
    languages : sequence of str
        Of `LANGUAGES`.
    data : Dataset
        Real rows; they and some that are made to be difficult go through the scorer (in Python: all languages are
        written from the same formulas).
    about : str
        One line for the head of each file.

    Raises
    ------
    SettingsError
        Where a language is not known.
    ExportError
        Where the model is too large or has free text, or where the scorer answers otherwise than the predictor.
    """
    check_languages(languages)
    if not languages:
        return {}
    program = program_of(predictor)
    output = predictor.schema.output
    _check(program, predictor, data, about)
    files = {}
    for language in languages:
        name, write = LANGUAGES[language]
        files[f"{SOURCE_FOLDER}/{name}"] = write(program, output, " ".join(about.split()))
    return files


def program_of(predictor: Predictor) -> Program:
    """Return everything that a predictor computes, as one program.

    Raises
    ------
    ExportError
        Where it cannot be said in source, or is too large for it.
    """
    program, features = encode(predictor.schema, predictor.encoder)
    add_model(program, predictor.content, features)
    nodes = program.nodes()
    if nodes > _MOST_NODES:
        raise ExportError(
            "the model is too large for source text",
            found=f"{nodes:,} operations",
            expected=f"at most {_MOST_NODES:,}",
            hint="Pick a linear or a small tree model; pipeline.onnx takes any.",
        )
    return program


def _check(program: Program, predictor: Predictor, data: Dataset, about: str) -> None:
    score = load_python(python(program, predictor.schema.output, " ".join(about.split())))
    real = data.take(np.arange(min(data.n_rows, _ROWS)))
    for columns in (dict(real.columns), difficult_rows(data, _ROWS)):
        served = predictor.predict_matrix(predictor.encoder.encode_columns(columns)).astype(np.float64)
        listed = {
            name: values.texts() if isinstance(values, Levels) else [_known(each) for each in values.tolist()]
            for name, values in columns.items()
        }
        for at, wanted in enumerate(served):
            answer = score({name: values[at] for name, values in listed.items()})
            found = np.asarray(answer.get("probabilities") or [answer["value"]])
            unit = 1.0 if predictor.classes else max(1.0, float(np.abs(wanted).max()))
            if not np.abs(found - wanted).max() <= TOLERANCE * unit and np.isfinite(wanted).all():
                raise ExportError(
                    "the source does not answer what the model answers",
                    found=f"{found.tolist()} for row {at}",
                    expected=str(wanted.tolist()),
                )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def load_python(text: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the function ``score`` of a scorer that was written just now."""
    space: dict[str, Any] = {}
    exec(compile(text, "scorer.py", "exec"), space)  # noqa: S102 - text that this package wrote itself
    score: Callable[[dict[str, Any]], dict[str, Any]] = space["score"]
    return score
