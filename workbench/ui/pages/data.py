"""The page Data: choose and inspect a table before a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.data import Finding, Inspection
from workbench.display.insight import distribution_figure
from workbench.display.numbers import count, percent, plain, significant
from workbench.display.theme import CONFIG
from workbench.display.words import TASKS
from workbench.errors import WorkbenchError
from workbench.ui.files.folders import Workspace
from workbench.ui.panels.header import refused
from workbench.ui.panels.sources import choose_source
from workbench.ui.state import cached_reads
from workbench.ui.state.drafts import Draft
from workbench.ui.state.session_state import Pages, change_draft, draft, open_draft
from workbench.ui.state.table_preview import look
from workbench.ui.texts import data as texts
from workbench.ui.texts import general

_ICONS = {"error": ":material/error:", "warning": ":material/warning:", "info": ":material/info:"}


def show(workspace: Workspace, pages: Pages) -> None:
    """Ask for a table, show its content, and ask for the target."""
    st.title(general.DATA)
    st.markdown(texts.INTRO)
    if refused("search", "analyst"):
        return
    open_draft(workspace.own)
    choose_source(workspace)
    current = draft()
    if current is None:
        st.info(texts.NOTHING, icon=":material/info:")
        return
    _ask_encoding(current)
    try:
        with st.spinner(texts.READING):
            seen = cached_reads.table_look(
                str(current.source.path),
                current.source.digest,
                current.target or None,
                current.drop,
                current.said_kinds,
                current.encoding,
            )
    except WorkbenchError as error:
        # by its display name, not its stored name
        words = str(error).replace(current.source.path.name, current.source.name)
        st.error(plain(words, 600), icon=":material/broken_image:")
        if current.target:
            st.button(
                texts.TARGET_PROMPT, on_click=change_draft, kwargs={"target": "", "drop": ()}, key="reset"
            )
        return
    _show_totals(current, seen.inspection)
    left, right = st.columns([2, 1], gap="medium")
    with left:
        _ask_target(current, seen.inspection)
        _show_columns(seen.inspection, current)
        with st.expander(texts.PREVIEW, icon=":material/table_rows:"):
            st.dataframe(seen.head, hide_index=True, width="stretch")
    with right:
        _show_column(current, seen.inspection)
        _correct_kinds(current, seen.inspection)
    _show_findings(current, seen.inspection.findings)
    ready = bool(current.target)
    if st.button(
        texts.NEXT,
        type="primary",
        icon=":material/arrow_forward:",
        disabled=not ready,
        help=None if ready else texts.NEXT_FIRST,
        key="next",
    ):
        st.switch_page(pages.goal)


def _ask_encoding(current: Draft) -> None:
    """Ask for the encoding of a text file, in case the detected one is wrong."""
    if not current.source.path.name.removesuffix(".gz").endswith((".csv", ".tsv", ".txt", ".jsonl", ".json")):
        return
    with st.expander(texts.ENCODING_TITLE, icon=":material/translate:"):
        chosen = st.selectbox(
            texts.ENCODING,
            list(texts.ENCODINGS),
            index=list(texts.ENCODINGS).index(current.encoding) if current.encoding in texts.ENCODINGS else 0,
            format_func=lambda each: texts.ENCODINGS[each],
            help=texts.ENCODING_HELP,
            key=f"encoding:{current.source.digest}",
        )
    if chosen != current.encoding:
        change_draft(encoding=chosen, target="", drop=(), kinds={})
        st.rerun()


def _show_totals(current: Draft, inspection: Inspection) -> None:
    st.subheader(plain(current.original.name))
    cells = inspection.rows * max(len(inspection.columns), 1)
    missing = sum(column.missing_ratio * inspection.rows for column in inspection.columns) / max(cells, 1)
    warnings = sum(finding.severity != "info" for finding in inspection.findings)
    with st.container(horizontal=True, key="totals"):
        st.metric(texts.ROWS, count(inspection.rows))
        st.metric(texts.COLUMNS, count(len(inspection.columns)))
        st.metric(texts.MISSING, percent(missing))
        st.metric(texts.WARNINGS, count(warnings))


def _ask_target(current: Draft, inspection: Inspection) -> None:
    names = [column.name for column in inspection.columns if column.name not in current.drop]
    key = f"target:{current.source.digest}"
    if key not in st.session_state:
        st.session_state[key] = current.target if current.target in names else None
    chosen = st.selectbox(
        texts.TARGET,
        names,
        index=None,
        key=key,
        placeholder=texts.TARGET_PROMPT,
        help=texts.TARGET_HELP,
    )
    if (chosen or "") != current.target:
        change_draft(target=chosen or "")
        st.rerun()
    if inspection.target is not None:
        st.markdown(_about_target(inspection.target))


def _about_target(target: Any) -> str:
    name = plain(target["name"])
    if "classes" in target:
        parts = [
            f"{plain(label)} {percent(rows / target['rows'])}" for label, rows in target["classes"].items()
        ]
        shares = ", ".join(parts[:6]) + (f", and {len(parts) - 6} more" if len(parts) > 6 else "")
        words = texts.TARGET_CLASSES.format(target=name, task=TASKS[target["task"]], shares=shares)
    else:
        low, high, median = (plain(significant(target[key], 4)) for key in ("low", "high", "median"))
        words = texts.TARGET_NUMBER.format(target=name, low=low, high=high, median=median)
    without = target["rows_without"]
    return words + (texts.TARGET_WITHOUT.format(count=count(without)) if without else "")


def _show_columns(inspection: Inspection, current: Draft) -> None:
    st.markdown(f"**{texts.COLUMNS_TITLE}**", help=texts.COLUMNS_HELP)
    table = [
        {
            "name": column.name,
            "kind": texts.KINDS.get(column.kind, column.kind),
            "role": texts.ROLES.get(column.role, column.role),
            "missing": 100 * column.missing_ratio,
            "distinct": column.distinct,
            "values": _values(column),
        }
        for column in inspection.columns
    ]
    columns: dict[str, Any] = {
        name: st.column_config.TextColumn(label, help=explained)
        for name, (label, explained) in texts.COLUMN_LABELS.items()
    }
    label, explained = texts.COLUMN_LABELS["role"]
    columns["role"] = st.column_config.TextColumn(label, help=explained, width="medium")
    label, explained = texts.COLUMN_LABELS["missing"]
    columns["missing"] = st.column_config.ProgressColumn(
        label, help=explained, format="%.1f %%", min_value=0, max_value=100, width="small"
    )
    label, explained = texts.COLUMN_LABELS["distinct"]
    columns["distinct"] = st.column_config.NumberColumn(label, help=explained, format="localized")
    key = f"columns:{current.source.digest}:{len(current.drop)}"
    event: Any = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config=columns,
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
    )
    chosen = [inspection.columns[at].name for at in event["selection"]["rows"]]
    chosen = [name for name in chosen if name != current.target]
    if st.button(
        texts.LEAVE_OUT_SELECTED, icon=":material/visibility_off:", disabled=not chosen, key="leave_out"
    ):
        _drop(chosen)
        st.rerun()
    if current.drop:
        kept = st.multiselect(
            texts.LEFT_OUT,
            current.drop,
            default=current.drop,
            help=texts.LEFT_OUT_HELP,
            key=f"left_out:{len(current.drop)}:{current.drop[-1]}",
        )
        if tuple(kept) != current.drop:
            change_draft(drop=tuple(kept))
            st.rerun()


def _values(column: Any) -> str:
    if column.low is not None:
        low, high = (
            significant(end, 4) if isinstance(end, float) else str(end).removesuffix("T00:00:00")
            for end in (column.low, column.high)
        )
        return f"{low} to {high}"
    return ", ".join(column.examples)


def _drop(names: Sequence[str]) -> None:
    current = draft()
    if current is not None:
        change_draft(drop=tuple(dict.fromkeys([*current.drop, *names])))


def _show_column(current: Draft, inspection: Inspection) -> None:
    names = [column.name for column in inspection.columns]
    at = names.index(current.target) if current.target in names else 0
    name = st.selectbox(texts.LOOK_AT, names, index=at, key=f"look:{current.source.digest}:{current.target}")
    kind = current.kinds.get(name)
    found = cached_reads.table_distribution(
        str(current.source.path), current.source.digest, name, kind, current.encoding
    )
    if found["labels"]:
        st.plotly_chart(
            distribution_figure(found),
            key=f"distribution:{name}",
            config=CONFIG,
            alt=f"{texts.LOOK_AT}: {name}",
        )
    if found["missing"]:
        st.caption(texts.LOOK_MISSING.format(count=count(found["missing"]), rows=count(inspection.rows)))


def _correct_kinds(current: Draft, inspection: Inspection) -> None:
    with st.expander(texts.KIND_TITLE, icon=":material/edit:"):
        st.caption(texts.KIND_INTRO)
        name = st.selectbox(
            texts.KIND_COLUMN, [column.name for column in inspection.columns], key="kind_column"
        )
        kind = st.selectbox(
            texts.KIND_AS,
            list(texts.KINDS_TO_SAY),
            format_func=lambda each: texts.KINDS_TO_SAY[each],
            key="kind_as",
        )
        if st.button(texts.KIND_APPLY, key="kind_apply"):
            kinds = {**current.kinds, name: kind}
            try:
                look(current.source.path, current.target or None, current.drop, kinds, current.encoding)
            except (WorkbenchError, OSError) as error:
                st.error(plain(error))
                return
            change_draft(kinds=kinds)
            st.rerun()
        if current.kinds:
            done = ", ".join(
                f"{plain(name)} → {texts.KINDS_TO_SAY[kind]}" for name, kind in current.kinds.items()
            )
            st.caption(texts.KIND_DONE.format(list=done))


def _show_findings(current: Draft, findings: Sequence[Finding]) -> None:
    st.subheader(texts.FINDINGS)
    if not findings:
        st.caption(texts.FINDINGS_NONE if current.target else texts.FINDINGS_FIRST)
        return
    for at, finding in enumerate(findings):
        words, button = st.columns([6, 1], vertical_alignment="center")
        where = f"**{plain(finding.column)}**: " if finding.column else ""
        advice = texts.ADVICE.get(finding.code, "")
        line = f"{_ICONS[finding.severity]} {where}{plain(finding.message, 500)}."
        words.markdown(f"{line} _{advice}_" if advice else line)
        can = finding.severity != "info" and finding.column not in (None, current.target, *current.drop)
        if can and button.button(texts.LEAVE_OUT, key=f"finding:{at}", width="stretch"):
            _drop([str(finding.column)])
            st.rerun()
