"""The page Export: write the choice as a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from workbench.display.numbers import code, percent, plain
from workbench.display.sentences import named
from workbench.errors import WorkbenchError
from workbench.export.catalog import next_version
from workbench.tradeoff import decide
from workbench.ui import snippets
from workbench.ui.files.folders import Workspace, bundle_path
from workbench.ui.files.uploads import safe_name
from workbench.ui.jobs.exports import ExportJob, ExportRequest, Step, last_export, put_away, start_export
from workbench.ui.panels.chosen import Picked, find_picked
from workbench.ui.panels.decision import differences, show_decided, store_choice
from workbench.ui.panels.downloads import offer_download, show_downloads
from workbench.ui.panels.header import refused
from workbench.ui.panels.key_figures import show_facts
from workbench.ui.state import cached_reads
from workbench.ui.state.session_state import Pages, allowed, say, user
from workbench.ui.texts import export as texts
from workbench.ui.texts import general

_REFRESH_S = 0.5
_ICONS = {
    "waiting": ":material/hourglass_empty:",
    "running": ":material/progress_activity:",
    "done": ":material/check_circle:",
    "failed": ":material/error:",
}


def show(workspace: Workspace, pages: Pages) -> None:
    """Show the choice, ask for its name, export it, and offer the download."""
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
        show_facts(picked.choice.row, picked.terms)
        for warning in picked.choice.warnings:
            st.warning(plain(warning), icon=":material/info:")
    st.page_link(
        pages.choose,
        label=texts.GO_CHOOSE,
        icon=":material/scatter_plot:",
        query_params=picked.selection.to_query(),
    )
    if not refused("export", "deployer"):
        gaps = differences(picked)
        show_decided(picked, gaps)
        _ask(workspace, picked, gaps)
        show_downloads(workspace, str(picked.view.info.get("name") or picked.view.folder.name))


def _ask(workspace: Workspace, picked: Picked, gaps: Sequence[str]) -> None:
    left, right = st.columns([3, 1])
    suggested = safe_name(picked.selection.run, "model")
    name = left.text_input(texts.NAME, suggested, key="name", help=texts.NAME_HELP)
    _propose_version(workspace, name.strip())
    version = right.text_input(texts.VERSION, key="version", help=texts.VERSION_HELP)
    known = user()
    by = st.text_input(
        texts.BY,
        known or decide(picked.choice).by,
        key="by",
        disabled=bool(known),
        help=texts.BY_LOGIN if known else None,
    )
    _ask_threshold(picked)
    refit = picked.view.can_refit and st.checkbox(texts.REFIT, key="refit", help=texts.REFIT_HELP)
    masked = _ask_golden(picked)
    key = f"note:{picked.selection.run}:{picked.choice.id}"
    decided = picked.stored.decision
    st.session_state.setdefault(key, decided.why if decided else "")
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
        who, why = (known or by).strip(), note.strip()
        try:
            if decided is None or gaps:
                store_choice(picked, who, why)
            request = _request(picked, target, name.strip(), version.strip())
            start_export(workspace.own, replace(request, by=who, note=why, refit=refit, masked=masked))
        except (WorkbenchError, OSError) as error:
            st.error(plain(error, 600), icon=":material/group:")
            return
        st.rerun()


def _propose_version(workspace: Workspace, name: str) -> None:
    """Fill in the next free version, unless the user has entered another."""
    number = int(next_version(workspace.bundles, name))
    while name and (workspace.bundles / f"{safe_name(name)}-{number}").exists():
        number += 1
    free = str(number)
    if st.session_state.get("version") in (None, "", st.session_state.get("version_proposed")):
        st.session_state["version"] = free
    st.session_state["version_proposed"] = free


def _request(picked: Picked, target: Path, name: str, version: str) -> ExportRequest:
    """Return the export request with all terms, independent of later decisions."""
    terms = picked.terms
    traffic = terms.sheet.traffic
    return ExportRequest(
        str(picked.view.folder),
        picked.rule,
        terms.limits,
        str(target),
        name,
        version,
        threshold=terms.threshold if terms.threshold_from == "set" else None,
        payoff=terms.payoff.to_json() if terms.payoff else None,
        traffic=None if traffic.example else (traffic.calls_per_month, traffic.peak_calls_per_s),
    )


def _ask_golden(picked: Picked) -> tuple[str, ...]:
    """Explain that a bundle contains real rows, and ask for the columns to mask."""
    try:
        names = cached_reads.column_names(picked.view.folder)
    except (WorkbenchError, OSError):
        return ()
    st.caption(texts.GOLDEN)
    return tuple(
        st.multiselect(
            texts.MASK,
            names,
            key=f"masked:{picked.selection.run}",
            placeholder=texts.MASK_NONE,
            help=texts.MASK_HELP,
        )
    )


def _ask_threshold(picked: Picked) -> None:
    """Show the threshold of the bundle, and a control to change it."""
    if picked.view.task != "binary":
        return
    try:
        output = cached_reads.output(picked.view.folder, picked.choice.id)
    except WorkbenchError:
        return  # an incomplete copy of a run: the export reports a better message
    terms = picked.terms
    wanted = output.threshold if terms.threshold is None else terms.threshold
    start = round(100.0 * wanted, 1)
    yes, own = plain(output.classes[1]), plain(percent(output.threshold, 1))
    key = f"export_threshold:{picked.selection.run}:{picked.choice.id}:{start}"
    st.number_input(
        texts.THRESHOLD.format(yes=yes),
        0.0,
        100.0,
        start,
        step=0.1,
        format="%.1f",
        key=key,
        on_change=lambda: say(threshold=st.session_state[key] / 100.0),
        help=texts.THRESHOLD_HELP,
    )
    st.caption(texts.THRESHOLD_FROM[terms.threshold_from].format(yes=yes, own=own))


def _target(workspace: Workspace, name: str, version: str) -> tuple[Path | None, str]:
    try:
        target = bundle_path(workspace.bundles, name.strip(), version.strip())
    except WorkbenchError as error:
        return None, plain(error)
    if target.exists():
        return None, texts.EXISTS.format(path=code(target.as_posix()))
    return target, ""


def _show_job(workspace: Workspace, job: ExportJob) -> None:
    """Show the progress of an export, then its result."""
    if job.running:

        @st.fragment(run_every=_REFRESH_S)
        def follow() -> None:
            if not job.running:
                st.rerun()
            _show_steps(job.steps())

        st.subheader(texts.RUNNING)
        follow()
        return
    good = job.succeeded and job.request.zip_path.is_file()  # it may have been removed
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
