"""Keep a load test with its bundle: in ``load_test.json``, beside the files that the manifest lists.

The figures are of a machine, not of the model, and come after the bundle was sealed. So they are no part of what the
manifest lists, its digest stays as it was, and whoever checks the bundle is not disturbed.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

from workbench.errors import BundleError, ExportError
from workbench.runtime.bundle.archive import checked_entries, reading
from workbench.runtime.bundle.manifest import LOAD_TEST_FILE
from workbench.runtime.files.atomic_write import atomic_path

from .measure import LoadReport

FILE = LOAD_TEST_FILE


def keep(path: Path, report: LoadReport) -> str:
    """Write a report into a bundle's folder or zip, in place of an older one; returns where it lies.

    Raises
    ------
    ExportError
        Where it cannot be written.
    """
    content = json.dumps(report.to_json(), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    target = path if path.is_file() else path / FILE
    try:
        with atomic_path(target) as part:
            if path.is_file():
                _rewrite(path, part, content)
            else:
                part.write_text(content, encoding="utf-8")
    except (OSError, BundleError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ExportError(f"{target} cannot be written", found=reason) from error
    return f"{path}, {FILE}" if path.is_file() else str(target)


def _rewrite(path: Path, part: Path, content: str) -> None:
    """Copy a zip, with the report beside its manifest."""
    with reading(path) as old, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        manifest = min((name for name in names if name.split("/")[-1] == "manifest.json"), key=len)
        own = manifest.removesuffix("manifest.json") + FILE
        for entry in checked_entries(old, path.name):
            if entry.filename != own:
                with old.open(entry) as source, new.open(entry, "w") as target:
                    shutil.copyfileobj(source, target)
        new.writestr(own, content)
