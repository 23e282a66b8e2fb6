"""Configuration of the documentation site: ``sphinx-build -W -b html docs docs/_build``.

Sphinx, since it reads numpydoc docstrings without a plugin of its own kind, checks every reference,
and is maintained; Material for MkDocs receives no further fixes. MyST keeps the pages Markdown, so
that they also read well on GitHub.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import workbench

_DOCS = Path(__file__).parent
_ROOT = _DOCS.parent
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_REPOSITORY = f"{_PROJECT['urls']['Repository']}/blob/main"

#: Pages whose text lies elsewhere in the repository.
_SHARED = {
    "project/benchmarks": "benchmarks/README.md",
    "project/serving-benchmarks": "benchmarks/serving/README.md",
    "project/contributing": "CONTRIBUTING.md",
    "project/changelog": "CHANGELOG.md",
}

project = "Workbench"
author = "Workbench contributors"
copyright = author  # noqa: A001 - the name that Sphinx reads
version = release = workbench.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "examples"]
nitpicky = False  # docstrings name private helpers in code font, which are not pages

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

default_role = "code"
autodoc_typehints = "none"  # numpydoc sections state them
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = f"Workbench {version}"
html_favicon = "../workbench/ui/icon.svg"
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}


def _link(target: str, source: Path, page: Path) -> str:
    """Return a link of a file as the page that shows it has to write it: inside the site, or into
    the repository.
    """
    if re.match(r"[a-z]+:|#", target):
        return target
    name, _, anchor = target.partition("#")
    path = Path(os.path.normpath(source.parent / name))
    inside = path.relative_to(_ROOT).as_posix()
    shared = next((f"{_DOCS}/{key}.md" for key, value in _SHARED.items() if value == inside), None)
    if not shared and not path.is_relative_to(_DOCS):
        return f"{_REPOSITORY}/{inside}" + (f"#{anchor}" if anchor else "")
    found = os.path.relpath(shared or path, page.parent)
    return found + (f"#{anchor}" if anchor else "")


def _read(app: Any, name: str, source: list[str]) -> None:
    """Fetch a shared page's text, and let links that leave the folder of the site lead to the
    repository.
    """
    page = _DOCS / f"{name}.md"
    file = _ROOT / _SHARED[name] if name in _SHARED else page
    text = file.read_text(encoding="utf-8")
    source[0] = re.sub(r"\]\(([^)\s]+)\)", lambda found: f"]({_link(found[1], file, page)})", text)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _read)
