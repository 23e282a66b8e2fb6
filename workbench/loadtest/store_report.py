"""Store a load test with its bundle as ``load_test.json``, a file that the manifest does not list.

The figures depend on the machine and are measured after the export. Therefore the manifest does not
list them, so its digest does not change and checks of the bundle still pass.
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
    """Write a report to the folder or zip of a bundle, replacing an older one; return its path.

    Raises
    ------
    ExportError
        If it cannot be written.
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
    """Copy a zip, with the report next to its manifest."""
    with reading(path) as old, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        manifest = min((name for name in names if name.split("/")[-1] == "manifest.json"), key=len)
        own = manifest.removesuffix("manifest.json") + FILE
        for entry in checked_entries(old, path.name):
            if entry.filename != own:
                with old.open(entry) as source, new.open(entry, "w") as target:
                    shutil.copyfileobj(source, target)
        new.writestr(own, content)
