"""The page that turns a choice into a bundle."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import streamlit as st

from workbench.errors import PickError, RunError, SettingsError, WorkbenchError
from workbench.tradeoff import Choice, decide, pick
from workbench.ui import texts
from workbench.ui.display import code, plain
from workbench.ui.exports import ExportJob, ExportRequest, Step, start_export
from workbench.ui.panels.facts import show_facts
from workbench.ui.selection import Selection
from workbench.ui.session import Pages, recall, remember
from workbench.ui.store import RunView, read_run
from workbench.ui.workspace import Workspace, bundle_path, find_run, list_runs

_JOB = "export_job"
_REFRESH_S = 0.5
_ICONS = {
    "waiting": ":material/hourglass_empty:",
    "running": ":material/progress_activity:",
    "done": ":material/check_circle:",
    "failed": ":material/error:",
}


def show(workspace: Workspace, pages: Pages) -> None:
    """Show the choice, ask for its name, export it, and offer the result."""
    st.title(texts.EXPORT)
    job = st.session_state.get(_JOB)
    if isinstance(job, ExportJob):
        _show_job(job)
        return
    selection = recall()
    view, choice = _find_choice(workspace, selection)
    if view is None or choice is None:
        st.page_link(pages.choose, label=texts.EXPORT_GO_CHOOSE, query_params=selection.to_query())
        return
    remember(selection)
    st.caption(texts.EXPORT_INTRO)
    with st.container(border=True, key="chosen"):
        st.subheader(f"{plain(choice.row['family'])} {plain(choice.id)}")
        show_facts(choice.row, view.sheet)
        for warning in choice.warnings:
            st.warning(plain(warning), icon=":material/info:")
    _ask(workspace, view, choice, selection)


def _find_choice(workspace: Workspace, selection: Selection) -> tuple[RunView | None, Choice | None]:
    if not selection.run:
        st.info(texts.EXPORT_NOTHING, icon=":material/info:")
        return None, None
    try:
        entry = find_run([each for each in list_runs(workspace.runs) if not each.problem], selection.run)
        view = read_run(entry.folder)
        return view, pick(view.rows, selection.how, selection.within(view.limits), view.sheet)
    except (RunError, PickError, SettingsError) as error:
        st.error(plain(error), icon=":material/block:")
        return None, None


def _ask(workspace: Workspace, view: RunView, choice: Choice, selection: Selection) -> None:
    left, right = st.columns([3, 1])
    name = left.text_input(
        texts.EXPORT_NAME, _suggested_name(selection.run), key="name", help=texts.EXPORT_NAME_HELP
    )
    version = right.text_input(texts.EXPORT_VERSION, "1", key="version", help=texts.EXPORT_VERSION_HELP)
    by = st.text_input(texts.EXPORT_BY, decide(choice).by, key="by")
    note = st.text_area(texts.EXPORT_NOTE, key="note", help=texts.EXPORT_NOTE_HELP, height=80)
    target, problem = _target(workspace, name, version)
    if problem:
        st.warning(problem, icon=":material/edit:")
    elif target is not None:
        st.caption(texts.EXPORT_TARGET.format(path=code(target.as_posix())))
    if (
        st.button(texts.EXPORT_BUTTON, type="primary", disabled=target is None, key="export")
        and target is not None
    ):
        how = selection.how if selection.how == choice.how else choice.id
        request = ExportRequest(
            str(view.folder),
            how,
            choice.limits,
            str(target),
            name.strip(),
            version.strip(),
            by.strip(),
            note.strip(),
        )
        try:
            st.session_state[_JOB] = start_export(request)
        except OSError as error:
            st.error(plain(error))
            return
        st.rerun()


def _target(workspace: Workspace, name: str, version: str) -> tuple[Path | None, str]:
    try:
        target = bundle_path(workspace.bundles, name.strip(), version.strip())
    except WorkbenchError as error:
        return None, plain(error)
    if target.exists():
        return None, texts.EXPORT_EXISTS.format(path=code(target.as_posix()))
    return target, ""


def _show_job(job: ExportJob) -> None:
    """Follow an export, then offer what came of it."""
    if job.running:

        @st.fragment(run_every=_REFRESH_S)
        def follow() -> None:
            if not job.running:
                st.rerun()
            _show_steps(job.steps())

        st.subheader(texts.EXPORT_RUNNING)
        follow()
        return
    good = job.succeeded
    st.subheader(texts.EXPORT_DONE if good else texts.EXPORT_FAILED)
    _show_steps(job.steps())
    if good:
        _offer(job.request)
    elif not any(step.lines for step in job.steps() if step.state == "failed"):
        st.error(texts.EXPORT_LOST)
    if st.button(texts.EXPORT_AGAIN, key="again"):
        job.log.unlink(missing_ok=True)
        del st.session_state[_JOB]
        st.rerun()


def _show_steps(steps: list[Step]) -> None:
    for step in steps:
        st.markdown(f"{_ICONS[step.state]} **{texts.EXPORT_STEPS[step.name]}**")
        if step.lines:
            st.code("\n".join(step.lines), language=None, wrap_lines=True)


def _offer(request: ExportRequest) -> None:
    packed = request.zip_path
    st.download_button(
        texts.EXPORT_DOWNLOAD.format(name=plain(packed.name)),
        packed.read_bytes,
        file_name=packed.name,
        mime="application/zip",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
        key="download",
    )
    st.subheader(texts.EXPORT_COMMANDS)
    st.code(texts.EXPORT_COMMANDS_CODE.format(bundle=shlex.quote(request.target)), language="bash")
    st.caption(texts.EXPORT_COMMANDS_NOTE)


def _suggested_name(run: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", run).strip("._-")[:64].strip("._-") or "model"
