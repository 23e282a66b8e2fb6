"""The page that turns a choice into a bundle."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.display.numbers import amount, code, percent, plain
from workbench.display.sentences import named
from workbench.errors import WorkbenchError
from workbench.tradeoff import decide
from workbench.ui import snippets, store
from workbench.ui.exports import ExportJob, ExportRequest, Step, last_export, put_away, start_export
from workbench.ui.panels.downloads import offer_download, show_downloads
from workbench.ui.panels.facts import show_facts
from workbench.ui.panels.header import refused
from workbench.ui.panels.money import chosen_threshold
from workbench.ui.panels.picked import Picked, find_picked
from workbench.ui.session import Pages, allowed, user
from workbench.ui.texts import export as texts
from workbench.ui.texts import general
from workbench.ui.uploads import safe_name
from workbench.ui.workspace import Workspace, bundle_path

_REFRESH_S = 0.5
_ICONS = {
    "waiting": ":material/hourglass_empty:",
    "running": ":material/progress_activity:",
    "done": ":material/check_circle:",
    "failed": ":material/error:",
}


def show(workspace: Workspace, pages: Pages) -> None:
    """Show the choice, ask for its name, export it, and offer the result."""
    picked = find_picked(workspace, pages, general.EXPORT)
    if picked is None:
        return
    job = last_export(workspace.own, picked.view.folder)
    if job is not None and (job.running or allowed("export")):
        _show_job(workspace, job)
        return
    st.markdown(texts.INTRO)
    with st.container(border=True, key="chosen"):
        st.subheader(plain(named(picked.choice.row)))
        show_facts(picked.choice.row, picked.view.sheet)
        for warning in picked.choice.warnings:
            st.warning(plain(warning), icon=":material/info:")
    st.page_link(
        pages.choose,
        label=texts.GO_CHOOSE,
        icon=":material/scatter_plot:",
        query_params=picked.selection.to_query(),
    )
    if not refused("export", "deployer"):
        _ask(workspace, picked)
        show_downloads(workspace, str(picked.view.info.get("name") or picked.view.folder.name))


def _ask(workspace: Workspace, picked: Picked) -> None:
    left, right = st.columns([3, 1])
    suggested = safe_name(picked.selection.run, "model")
    name = left.text_input(texts.NAME, suggested, key="name", help=texts.NAME_HELP)
    version = right.text_input(texts.VERSION, "1", key="version", help=texts.VERSION_HELP)
    known = user()
    by = st.text_input(
        texts.BY,
        known or decide(picked.choice).by,
        key="by",
        disabled=bool(known),
        help=texts.BY_LOGIN if known else None,
    )
    threshold = _ask_threshold(picked)
    refit = picked.view.can_refit and st.checkbox(texts.REFIT, key="refit", help=texts.REFIT_HELP)
    key = f"note:{picked.selection.run}:{picked.choice.id}"
    st.session_state.setdefault(key, _threshold_note(picked))
    note = st.text_area(texts.NOTE, key=key, help=texts.NOTE_HELP, height=80)
    target, problem = _target(workspace, name, version)
    if problem:
        st.warning(problem, icon=":material/edit:")
    elif target is not None:
        st.caption(texts.TARGET.format(path=code(target.as_posix())))
    pressed = st.button(
        texts.BUTTON, type="primary", icon=":material/package_2:", disabled=target is None, key="export"
    )
    if pressed and target is not None:
        how = picked.outcome.how if picked.outcome.how == picked.choice.how else picked.choice.id
        request = ExportRequest(
            str(picked.view.folder),
            how,
            picked.choice.limits,
            str(target),
            name.strip(),
            version.strip(),
            (known or by).strip(),
            note.strip(),
            threshold,
            refit,
        )
        try:
            start_export(workspace.own, request)
        except OSError as error:
            st.error(plain(error))
            return
        st.rerun()


def _ask_threshold(picked: Picked) -> float | None:
    """Ask from which probability on the model answers yes; None leaves its own."""
    if picked.view.task != "binary":
        return None
    try:
        output = store.output(picked.view.folder, picked.choice.id)
    except WorkbenchError:
        return None  # a run copied in part: what the export says of it is the better message
    kept = chosen_threshold(picked.selection.run, picked.choice.id)
    wanted = kept[0] if kept else output.threshold
    start = round(100.0 * wanted, 1)
    yes, own = plain(output.classes[1]), plain(percent(output.threshold))
    asked = st.number_input(
        texts.THRESHOLD.format(yes=yes),
        0.0,
        100.0,
        start,
        step=0.1,
        format="%.1f",
        key=f"export_threshold:{picked.selection.run}:{picked.choice.id}:{start}",
        help=texts.THRESHOLD_HELP,
    )
    threshold = wanted if asked == start else asked / 100.0
    words = texts.THRESHOLD_SET if threshold != output.threshold else texts.THRESHOLD_OWN
    st.caption(words.format(yes=yes, own=own))
    return None if threshold == output.threshold else threshold


def _threshold_note(picked: Picked) -> str:
    """Return what the threshold that was set on the page Choose was set for, for whoever asks later."""
    kept = chosen_threshold(picked.selection.run, picked.choice.id)
    if kept is None or len(picked.view.classes) != 2:
        return ""
    _, costs = kept
    currency = picked.view.sheet.currency
    return texts.NOTE_THRESHOLD.format(
        yes=picked.view.classes[1],
        wrong_yes=amount(costs.wrong_yes, currency),
        wrong_no=amount(costs.wrong_no, currency),
    )


def _target(workspace: Workspace, name: str, version: str) -> tuple[Path | None, str]:
    try:
        target = bundle_path(workspace.bundles, name.strip(), version.strip())
    except WorkbenchError as error:
        return None, plain(error)
    if target.exists():
        return None, texts.EXISTS.format(path=code(target.as_posix()))
    return target, ""


def _show_job(workspace: Workspace, job: ExportJob) -> None:
    """Follow an export, then offer what came of it."""
    if job.running:

        @st.fragment(run_every=_REFRESH_S)
        def follow() -> None:
            if not job.running:
                st.rerun()
            _show_steps(job.steps())

        st.subheader(texts.RUNNING)
        follow()
        return
    good = job.succeeded and job.request.zip_path.is_file()  # it may have been removed since
    st.subheader(texts.DONE if good else texts.FAILED)
    if good:
        offer_download(Path(job.request.target), "download")
    _show_steps(job.steps())
    if good:
        _offer_use(Path(job.request.target))
    elif not any(step.lines for step in job.steps() if step.state == "failed"):
        st.error(texts.LOST)
    if st.button(texts.AGAIN, key="again"):
        put_away(workspace.own, Path(job.request.run))
        st.rerun()


def _show_steps(steps: list[Step]) -> None:
    for step in steps:
        st.markdown(f"{_ICONS[step.state]} **{texts.STEPS[step.name]}** · {texts.STATES[step.state]}")
        if step.lines:
            st.code("\n".join(step.lines), language=None, wrap_lines=True)


def _offer_use(bundle: Path) -> None:
    st.subheader(texts.USE)
    st.caption(texts.USE_INTRO)
    try:
        row = snippets.golden_row(bundle)
    except (OSError, ValueError, StopIteration, KeyError) as error:
        st.error(plain(error))
        return
    tabs = dict(zip(texts.TABS, st.tabs(list(texts.TABS.values())), strict=True))
    with tabs["commands"]:
        st.code(snippets.commands(bundle.as_posix()), language="bash")
        st.caption(texts.COMMANDS_NOTE)
    with tabs["docker"]:
        content, own = snippets.dockerfile(bundle)
        st.code(content, language="dockerfile")
        st.code(snippets.docker_commands(bundle, own=own), language="bash")
        st.caption(texts.DOCKER_NOTE if own else texts.DOCKER_OWN_NOTE)
    for name, text, language in (
        ("curl", snippets.curl(row), "bash"),
        ("python", snippets.python(bundle.as_posix(), row), "python"),
        ("javascript", snippets.javascript(row), "javascript"),
        ("java", snippets.java(row), "java"),
    ):
        with tabs[name]:
            st.code(text, language=language, wrap_lines=True)
            if name != "python":
                st.caption(texts.HTTP_NOTE)
