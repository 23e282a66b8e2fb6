"""The page Understand: importance, weak segments, and single predictions."""

from __future__ import annotations

import streamlit as st

from workbench.display.insight import dependence_figure, importance_figure
from workbench.display.numbers import count, percent, plain, significant
from workbench.display.sentences import named
from workbench.display.theme import CONFIG
from workbench.errors import WorkbenchError
from workbench.ui.files.folders import Workspace
from workbench.ui.panels.chosen import Picked, find_picked
from workbench.ui.panels.whatif import show_whatif
from workbench.ui.state import cached_reads
from workbench.ui.state.session_state import Pages
from workbench.ui.texts import general
from workbench.ui.texts import understand as texts


def show(workspace: Workspace, pages: Pages) -> None:
    """Explain the chosen candidate."""
    picked = find_picked(workspace, pages, general.UNDERSTAND)
    if picked is None:
        return
    st.markdown(texts.INTRO.format(name=plain(named(picked.choice.row))))
    asked = st.segmented_control(
        texts.VIEW,
        list(texts.VIEWS),
        default="drivers",
        format_func=lambda name: texts.VIEWS[name],
        key="understand_view",
    )
    try:
        if asked == "failures":
            _show_segments(picked)
        elif asked == "whatif":
            show_whatif(workspace, picked)
        else:
            _show_drivers(picked)
    except WorkbenchError as error:
        st.error(plain(error, 600), icon=":material/block:")


def _show_drivers(picked: Picked) -> None:
    view, candidate = picked.view, picked.choice.id
    with st.spinner(texts.IMPORTANCE_WAIT):
        found = cached_reads.importance(view.folder, candidate)
    left, right = st.columns(2, gap="large")
    key = f"{view.folder.name}:{candidate}"
    with left:
        st.subheader(
            texts.IMPORTANCE,
            help=texts.IMPORTANCE_HELP.format(
                repeats=found[0].repeats,
                rows=count(found[0].rows),
                which=texts.UNSEEN if found[0].unseen else texts.SEEN,
            ),
        )
        st.plotly_chart(
            importance_figure(found), key=f"importance:{key}", config=CONFIG, alt=texts.IMPORTANCE_ALT
        )
    with right:
        st.subheader(texts.DEPENDENCE)
        name = st.selectbox(
            texts.DEPENDENCE_COLUMN, [each.column for each in found], key=f"dependence_column:{key}"
        )
        output, label = _class(picked)
        curve = cached_reads.dependence(view.folder, candidate, name, output)
        st.plotly_chart(
            dependence_figure(curve, label, percent=bool(view.classes)),
            key=f"dependence:{key}:{name}:{output}",
            config=CONFIG,
            alt=texts.DEPENDENCE_ALT.format(column=name),
        )
        st.caption(texts.DEPENDENCE_HELP.format(rows=count(curve["rows"])))


def _class(picked: Picked) -> tuple[int | None, str]:
    """Return the explained output, and its name."""
    classes = picked.view.classes
    if len(classes) <= 2:
        return None, str(classes[-1]) if classes else picked.view.target
    at = st.selectbox(
        texts.CLASS,
        range(len(classes)),
        format_func=lambda position: str(classes[position]),
        key=f"understand_class:{picked.view.folder.name}",
    )
    return at, str(classes[at])


def _show_segments(picked: Picked) -> None:
    st.subheader(texts.SEGMENTS, help=texts.SEGMENTS_HELP)
    found = cached_reads.segments(picked.view.folder, picked.choice.id)
    if not found:
        st.success(texts.SEGMENTS_NONE, icon=":material/check_circle:")
        return
    classes = bool(picked.view.classes)

    def write(loss: float) -> str:
        return percent(loss) if classes else significant(loss, 3)

    worst = found[0]
    st.markdown(
        texts.SEGMENT_TEXT.format(
            column=plain(worst.column),
            condition=_joined(worst.condition),
            times=plain(significant(worst.times)),
            rows=count(worst.rows),
        )
    )
    names = texts.SEGMENT_COLUMNS
    table = [
        {
            names["group"]: f"{each.column} {each.condition}",
            names["rows"]: each.rows,
            names["loss"]: write(each.loss),
            names["rest"]: write(each.rest),
            names["times"]: round(each.times, 2),
        }
        for each in found
    ]
    columns = {names["rows"]: st.column_config.NumberColumn(names["rows"], format="localized")}
    st.dataframe(table, hide_index=True, width="stretch", column_config=columns)
    st.caption(
        texts.SEGMENTS_LOSS_CLASS
        if classes
        else texts.SEGMENTS_LOSS_NUMBER.format(target=plain(picked.view.target))
    )


def _joined(condition: str) -> str:
    return plain(condition if condition.startswith("is ") else f"is {condition}")
