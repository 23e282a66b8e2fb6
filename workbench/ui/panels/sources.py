"""Sources of a table: an upload, the server, a sample, or an allowed path or URL."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from workbench.data.samples import names as sample_names
from workbench.display.numbers import code, count, plain
from workbench.errors import WorkbenchError
from workbench.ui.files.folders import Workspace
from workbench.ui.files.remote_sources import bring
from workbench.ui.files.uploads import (
    SUFFIXES,
    UNPACKED_TIMES,
    forget_stale,
    keep_upload,
    list_tables,
    open_table,
)
from workbench.ui.jobs.examples import write_sample
from workbench.ui.state.drafts import Draft
from workbench.ui.state.session_state import draft, keep_draft, token
from workbench.ui.texts import data as texts


def choose_source(workspace: Workspace) -> None:
    """Ask for the source of the table, and store the table as the draft."""
    ways = [texts.UPLOAD, texts.PICK, texts.SAMPLE, *([texts.BRING] if workspace.places else [])]
    way = st.segmented_control(texts.SOURCE, ways, default=texts.UPLOAD, key="source")
    try:
        if way == texts.PICK:
            _pick(workspace)
        elif way == texts.SAMPLE:
            _sample(workspace)
        elif way == texts.BRING:
            _bring(workspace)
        else:
            _upload(workspace)
    except (WorkbenchError, OSError) as error:
        st.error(plain(error), icon=":material/broken_image:")


def _upload(workspace: Workspace) -> None:
    limit = st.get_option("server.maxUploadSize")
    kinds = sorted({suffix.rsplit(".", 1)[1] for suffix in SUFFIXES})
    uploaded = st.file_uploader(
        texts.UPLOAD_LABEL, type=kinds, help=texts.UPLOAD_HELP.format(limit=limit), key="upload"
    )
    if uploaded is not None and st.session_state.get("uploaded") != uploaded.file_id:
        forget_stale(workspace.own)
        source = keep_upload(
            [uploaded.getbuffer()],
            uploaded.name,
            workspace.own,
            token(),
            UNPACKED_TIMES * limit * 1_000_000,
        )
        st.session_state["uploaded"] = uploaded.file_id
        keep_draft(Draft.of(source))


def _bring(workspace: Workspace) -> None:
    """Ask for a path or a URL, which is loaded only when the form is submitted."""
    limit = int(st.get_option("server.maxUploadSize"))
    with st.form("bring", border=False):
        text = st.text_input(texts.BRING_LABEL, key="bring_text")
        st.caption(
            texts.BRING_HELP.format(
                limit=count(limit), places=", ".join(code(name) for name in workspace.places.names)
            )
        )
        asked = st.form_submit_button(texts.BRING_BUTTON, icon=":material/download:")
    if asked and text.strip():
        forget_stale(workspace.own)
        with st.spinner(texts.BRINGING):
            source = bring(text, workspace.places, workspace.own, token(), limit * 1_000_000)
        keep_draft(Draft.of(source))


def _pick(workspace: Workspace) -> None:
    tables = list_tables(workspace.data)
    if not tables:
        st.caption(texts.PICK_NONE.format(folder=code(workspace.data.as_posix())))
        return
    name = st.selectbox(texts.PICK_LABEL, tables, index=None, key="table")
    current = draft()
    if name is not None and (current is None or current.original.path != workspace.data / name):
        keep_draft(Draft.of(open_table(workspace.data, name)))


def _sample(workspace: Workspace) -> None:
    name = st.selectbox(
        texts.SAMPLE_LABEL,
        sample_names(),
        index=None,
        format_func=lambda each: texts.SAMPLES.get(each, each),
        key="sample",
    )
    if name is None:
        return
    path = workspace.data / f"{name}.csv"
    current = draft()
    if current is None or current.original.path != path:
        source, target = write_sample(name, workspace.data)
        keep_draft(replace(Draft.of(source), target=target))
