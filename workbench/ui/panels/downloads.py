"""Downloads of exported bundles."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.display.numbers import moment, plain
from workbench.export.catalog import BundleEntry
from workbench.ui.files.folders import MANIFEST_FILE, Workspace, bundle_label, newest_bundles
from workbench.ui.jobs.exports import pack
from workbench.ui.state.session_state import allowed
from workbench.ui.texts import export as texts


def offer_download(bundle: Path, key: str, *, first: bool = True) -> None:
    """Show a download button for a bundle; the zip is created on demand.

    Parameters
    ----------
    bundle : pathlib.Path
        The bundle folder; the zip file is stored next to it.
    key : str
    first : bool
        Whether this is the primary button of the page.
    """
    st.download_button(
        texts.DOWNLOAD.format(name=plain(f"{bundle.name.removesuffix('.zip')}.zip")),
        lambda: _zip_of(bundle).read_bytes(),
        file_name=f"{bundle.name.removesuffix('.zip')}.zip",
        mime="application/zip",
        type="primary" if first else "secondary",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )


def show_downloads(workspace: Workspace, run: str | None = None) -> None:
    """Offer the bundles of one run or of all runs, to users who may export."""
    found = {
        bundle_label(workspace.bundles, entry): entry
        for entry in newest_bundles(workspace.bundles)
        if not entry.error and run in (None, entry.run)
    }
    if not found or not allowed("export"):
        return
    if run is not None:
        st.subheader(texts.EXPORTED)
    labels = {name: _label(entry) for name, entry in found.items()}
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    name = left.selectbox(
        texts.EXPORTED_WHICH,
        list(found),
        format_func=lambda each: labels.get(each, each),
        key=f"bundle:{run or ''}",
    )
    with right:
        offer_download(Path(found[str(name)].path), f"download:{run or ''}:{name}", first=False)


def _zip_of(bundle: Path) -> Path:
    if bundle.is_file():
        return bundle
    path = bundle.with_name(f"{bundle.name}.zip")
    fresh = path.is_file() and path.stat().st_mtime_ns >= (bundle / MANIFEST_FILE).stat().st_mtime_ns
    return path if fresh else pack(bundle, path)


def _label(entry: BundleEntry) -> str:
    return texts.EXPORTED_LABEL.format(name=entry.name, version=entry.version, when=moment(entry.created))
