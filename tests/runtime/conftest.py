"""Fixtures: small bundles made by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.runtime.made import make_bundle, make_predictor
from workbench.runtime.bundle.bundle import Bundle, open_bundle
from workbench.runtime.model.predictor import Predictor


@pytest.fixture(scope="session", params=["binary", "multiclass", "regression"])
def any_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp(request.param) / "bundle", make_predictor(request.param))


@pytest.fixture(scope="session")
def any_bundle(any_folder: Path) -> Bundle:
    return open_bundle(any_folder)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A binary bundle that no test changes."""
    return make_bundle(tmp_path_factory.mktemp("binary") / "bundle", make_predictor())


@pytest.fixture(scope="session")
def bundle(folder: Path) -> Bundle:
    return open_bundle(folder)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A copy of a binary bundle for tests that change it."""
    return Path(shutil.copytree(folder, tmp_path / "copied"))


@pytest.fixture(scope="session")
def predictor(bundle: Bundle) -> Predictor:
    return bundle.predictor
