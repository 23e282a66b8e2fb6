"""Open a bundle, the folder or zip with a model and everything needed to serve it, and predict."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from ..core.rows import read_rows
from ..core.schema import Label, Schema
from ..errors import BundleError, InputError, NoBundleError, TamperedBundleError, shown
from ..model.output_decoder import check_finite
from ..model.predictor import Predictor
from .archive import is_zip_file, unpack
from .golden import GoldenReport, replay
from .listed_files import verify_files
from .manifest import GOLDEN_FILE, MANIFEST_FILE, Manifest


class Bundle:
    """An opened bundle: a model with its manifest. Created by `open_bundle`.

    Attributes
    ----------
    path : Path
        The folder; for a zip, the temporary folder that it was unpacked to.
    manifest : Manifest
    predictor : Predictor
    """

    def __init__(self, path: Path, manifest: Manifest, predictor: Predictor) -> None:
        self.path, self.manifest, self.predictor = path, manifest, predictor

    def __repr__(self) -> str:
        return f"<Bundle {self.manifest.name!r} version {self.manifest.version!r}, {self.manifest.task}>"

    @property
    def schema(self) -> Schema:
        """The input columns and the output of the model."""
        return self.predictor.schema

    @property
    def classes_(self) -> np.ndarray:
        """The labels, shape (k,), in the order of the probability columns; empty for regression."""
        return self.predictor.class_array

    def predict(self, rows: Any) -> np.ndarray:
        """Predict labels or numbers.

        Parameters
        ----------
        rows : dict, list of dict, data frame (pandas, polars, pyarrow), or mapping from column to
        values
            A dict of scalars is one row.

        Returns
        -------
        numpy.ndarray, shape (n,)
            Labels with their type in the training data, or float64 numbers.

        Raises
        ------
        InputError
            If the rows do not fit the schema; the error names the column, the value found and what
            was expected.
        ModelError
            If the model fails, or returns NaN or infinity.
        """
        if rows.__class__ is dict:
            prediction = self.predictor.decide_row(rows)
            if prediction is not None:
                return prediction
        return self.predictor.decide(self._output(rows))

    def predict_proba(self, rows: Any) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        rows
            As for `predict`.

        Returns
        -------
        numpy.ndarray of float64, shape (n, k), columns in the order of `classes_`

        Raises
        ------
        InputError
            As for `predict`; also if the model is a regression model.
        """
        if self.manifest.task == "regression":
            raise InputError(
                "predict_proba", found="a regression model", expected="a classifier", hint="Use predict."
            )
        output = self._output(rows)
        check_finite(output)
        return output.astype(np.float64)

    def predict_interval(self, rows: Any, level: float = 0.9) -> np.ndarray:
        """Predict intervals with a nominal coverage.

        Parameters
        ----------
        rows
            As for `predict`.
        level : float
            The nominal coverage: one of the calibrated levels (0.5, 0.8, 0.9 and 0.95).

        Returns
        -------
        numpy.ndarray of float64, shape (n, 2)
            The lower and the upper end.

        Raises
        ------
        InputError
            As for `predict`; also if the model is a classifier or has no intervals, or `level` was
            not calibrated.
        """
        if self.schema.output.intervals is None:
            return self.predictor.predict_interval(np.empty((0, 1)), level)  # raises before doing any work
        return self.predictor.predict_interval(self._output(rows), level)

    def _output(self, rows: Any) -> np.ndarray:
        shaped = read_rows(rows, self.predictor.names)
        if isinstance(shaped, dict):
            return self.predictor.predict_columns(shaped)
        if isinstance(rows, dict):  # one row: an error does not name the row
            return self.predictor.predict_row(rows)[None]
        return self.predictor.predict_rows(shaped)

    def replay_golden(self) -> GoldenReport:
        """Predict the golden rows, and compare the outputs with those at export."""
        return replay(self.predictor, self.path / GOLDEN_FILE)


def open_bundle(path: str | Path, *, threads: int = 1) -> Bundle:
    """Open a bundle, after checking every file against its manifest.

    Parameters
    ----------
    path : str or Path
        The bundle's folder, or a zip of it.
    threads : int
        Threads of one model call.

    Returns
    -------
    Bundle

    Raises
    ------
    BundleFormatError
        If the bundle has a newer format than this runtime reads.
    TamperedBundleError
        If a file is missing, truncated or changed.
    NoBundleError
        If `path` does not exist.
    BundleError
        If `path` is not a bundle.
    """
    folder, owned = folder_of(Path(path))
    try:
        manifest = Manifest.read(folder)
        verify_files(folder, manifest)  # before reading any other file
        bundle = open_verified(folder, manifest, threads)
    except BaseException:
        if owned:
            shutil.rmtree(owned, ignore_errors=True)
        raise
    if owned:
        weakref.finalize(bundle, shutil.rmtree, owned, ignore_errors=True)
    return bundle


def open_verified(folder: Path, manifest: Manifest, threads: int = 1) -> Bundle:
    """Open a bundle whose files `verify_files` has checked.

    Raises
    ------
    BundleError
        As for `open_bundle`.
    """
    predictor = Predictor.load(folder, threads)
    _check_agreement(manifest, predictor)
    return Bundle(folder, manifest, predictor)


def folder_of(path: Path) -> tuple[Path, Path | None]:
    """Return the folder of a bundle, and the temporary folder if it was unpacked, else None.

    Raises
    ------
    BundleError
        If `path` is not a bundle, or its zip cannot be unpacked.
    """
    if path.is_dir():
        if (path / MANIFEST_FILE).is_symlink():
            raise TamperedBundleError(f"{MANIFEST_FILE} is a link", expected="a file of the bundle")
        if not (path / MANIFEST_FILE).is_file():
            raise BundleError(
                f"{path} is not a bundle",
                found=f"no {MANIFEST_FILE} in it",
                expected="a bundle's folder or zip",
            )
        return path, None
    if not path.exists():
        raise NoBundleError(f"{path} does not exist", expected="a bundle's folder or zip")
    if not is_zip_file(path):
        raise BundleError(
            f"{path} is not a bundle", found="a file that is not a zip", expected="a bundle's folder or zip"
        )
    target = Path(tempfile.mkdtemp(prefix="bundle-"))
    try:
        return _unpack(path, target), target
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _unpack(path: Path, target: Path) -> Path:
    """Unpack a zip, and return the folder with the manifest."""
    unpack(path, target)
    found = sorted(target.glob(MANIFEST_FILE)) + sorted(target.glob(f"*/{MANIFEST_FILE}"))
    if not found:
        raise BundleError(
            f"{path} is not a bundle",
            found=f"no {MANIFEST_FILE} in it",
            expected="a zip of a bundle's folder",
        )
    return found[0].parent


def _check_agreement(manifest: Manifest, predictor: Predictor) -> None:
    """Check that the manifest describes the model in the same folder."""
    output = predictor.schema.output
    facts: tuple[tuple[str, Any, Any], ...] = (
        ("task", manifest.task, output.task),
        ("target", manifest.target, output.target),
        ("classes", list[Label](manifest.classes), list[Label](output.classes)),
    )
    for key, stated, actual in facts:
        if stated != actual:
            raise TamperedBundleError(
                f"manifest.json and schema.json disagree about {key}",
                found=f"{shown(stated)} in manifest.json",
                expected=f"{shown(actual)} as in schema.json",
            )
