"""Write the scorer of a predictor in the requested languages, after comparing it with the
predictor.
"""

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
    """Return the line that names the model of the source code."""
    # in a comment, C continues a line after a backslash, and Java ends it at backslash u000a
    target = manifest.target.replace("\\", "/")
    return f"{manifest.name}, version {manifest.version}: predicts {target}; model {manifest.model_id}."


def source_files(predictor: Predictor, languages: Sequence[str], data: Dataset, about: str) -> dict[str, str]:
    """Return the source code of the scorer by path in the bundle.

    Parameters
    ----------
    predictor : Predictor
    languages : sequence of str
        Of `LANGUAGES`.
    data : Dataset
        Real rows. The scorer in Python is compared on these and on perturbed ones; all languages
        are written from the same formulas.
    about : str
        One line for the head of each file.

    Raises
    ------
    SettingsError
        If a language is not supported.
    ExportError
        If the model is too large or has free text, or if the scorer and the predictor differ.
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
    """Return the whole computation of a predictor as one program.

    Raises
    ------
    ExportError
        If it cannot be written as source code, or is too large.
    """
    program, features = encode(predictor.schema, predictor.encoder)
    add_model(program, predictor.content, features)
    nodes = program.nodes()
    if nodes > _MOST_NODES:
        raise ExportError(
            "the model is too large for source code",
            found=f"{nodes:,} operations",
            expected=f"at most {_MOST_NODES:,}",
            hint="Pick a linear or a small tree model, or use pipeline.onnx.",
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
                    "the source code does not predict what the model predicts",
                    found=f"{found.tolist()} for row {at}",
                    expected=str(wanted.tolist()),
                )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def load_python(text: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the function ``score`` of a scorer that this module wrote."""
    space: dict[str, Any] = {}
    exec(compile(text, "scorer.py", "exec"), space)  # noqa: S102 - code that this package wrote
    score: Callable[[dict[str, Any]], dict[str, Any]] = space["score"]
    return score
