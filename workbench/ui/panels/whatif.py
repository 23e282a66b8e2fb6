"""A form that predicts one row with the served model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from workbench import explain
from workbench.display.insight import contribution_figure
from workbench.display.numbers import day, latency, percent, plain, significant
from workbench.display.theme import CONFIG
from workbench.errors import WorkbenchError
from workbench.explain import Field, TimedPrediction
from workbench.runtime.model.predictor import Predictor
from workbench.ui.files.folders import Workspace, bundle_label, newest_bundles
from workbench.ui.panels.chosen import Picked
from workbench.ui.state import cached_reads
from workbench.ui.texts import understand as texts

_MOST_SHOWN = 18
_OTHERS = 16  # real rows to predict in between


def show_whatif(workspace: Workspace, picked: Picked) -> None:
    """Show a form with the values of a row, its prediction, and the contributions."""
    view, candidate = picked.view, picked.choice.id
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader(texts.WHATIF, help=texts.WHATIF_HELP)
        model, searched = _choose_model(workspace, picked)
        number = st.number_input(texts.WHATIF_ROW, min_value=1, value=1, key=f"row:{view.folder.name}")
        row, actual = cached_reads.real_rows(view.folder, int(number) - 1)[0]
        # The most important columns first.
        order = [each.column for each in cached_reads.importance(view.folder, candidate)]
        fields = {field.name: field for field in explain.fields(model, row)}
        ordered = [fields[name] for name in order if name in fields]
        asked = _ask(ordered, f"{view.folder.name}:{number}")
    with right:
        try:
            others = [row for row, _ in cached_reads.real_rows(view.folder, 0, _OTHERS)]
            timed = explain.predict_timed(model, asked, between=others)
        except WorkbenchError as error:
            st.error(plain(error, 600))
            return
        same = all(asked[name] == row[name] or day(asked[name]) == day(row[name]) for name in asked)
        _show_prediction(timed, actual if same else None, searched, view.target)
        _show_contributions(picked, model, asked, timed)


def _choose_model(workspace: Workspace, picked: Picked) -> tuple[Predictor, float]:
    """Return the model, and its latency as measured by the search."""
    run = str(picked.view.info.get("name") or picked.view.folder.name)
    exported: dict[str, Path] = {}
    for entry in newest_bundles(workspace.bundles):
        if (entry.run, entry.candidate) == (run, picked.choice.id):
            exported[bundle_label(workspace.bundles, entry)] = Path(entry.path)
    names = [*exported, ""]
    name = st.selectbox(
        texts.WHATIF_MODEL,
        names,
        format_func=lambda each: texts.WHATIF_BUNDLE.format(name=each) if each else texts.WHATIF_CANDIDATE,
        key=f"whatif_model:{picked.view.folder.name}:{picked.choice.id}",
    )
    searched = picked.choice.row.latency_p50_us
    if name:
        return cached_reads.bundle(exported[name]).predictor, searched
    return cached_reads.predictor(picked.view.folder, picked.choice.id, picked.terms.threshold), searched


def _ask(fields: list[Field], key: str) -> dict[str, Any]:
    """Show the fields in a form, so that not every change reruns the page."""
    asked: dict[str, Any] = {}
    with st.form(f"whatif:{key}", border=True):
        columns = st.columns(3)
        for at, field in enumerate(fields[:_MOST_SHOWN]):
            with columns[at % 3]:
                asked[field.name] = _widget(field, key)
        rest = fields[_MOST_SHOWN:]
        if rest:
            with st.expander(texts.WHATIF_MORE.format(count=len(rest))):
                for field in rest:
                    asked[field.name] = _widget(field, key)
        st.form_submit_button(texts.WHATIF_ASK, type="primary", icon=":material/help:")
    return asked


def _widget(field: Field, key: str) -> Any:
    """Show one field with the widget of its kind; an empty field is a missing value."""
    label = plain(f"{field.name} ({field.unit})" if field.unit else field.name)
    name = f"field:{key}:{field.name}"
    if field.kind == "number":
        value = None if field.value is None else float(field.value)
        return st.number_input(label, value=value, key=name, format="%g", placeholder=texts.WHATIF_MISSING)
    if field.kind == "boolean":
        options: list[Any] = [True, False, *([None] if field.nullable or field.value is None else [])]
        words = {True: "yes", False: "no", None: texts.WHATIF_MISSING}
        return st.selectbox(
            label, options, index=options.index(field.value), format_func=lambda each: words[each], key=name
        )
    if field.kind == "category":
        levels = list(dict.fromkeys([*field.options, *([field.value] if field.value is not None else [])]))
        at = levels.index(field.value) if field.value is not None else None
        return st.selectbox(
            label,
            levels,
            index=at,
            key=name,
            placeholder=texts.WHATIF_MISSING,
            accept_new_options=True,
        )
    text = st.text_input(
        label,
        value="" if field.value is None else day(field.value),
        key=name,
        placeholder=texts.WHATIF_MISSING,
    )
    return text.strip() or None


def _show_prediction(timed: TimedPrediction, actual: Any, searched: float, target: str) -> None:
    st.subheader(texts.WHATIF_PREDICTION)
    with st.container(horizontal=True, key="prediction"):
        value = timed.prediction
        shown = significant(value, 4) if isinstance(value, float) else str(value)
        st.metric(plain(target), plain(shown))
        if len(timed.probabilities) == 2:
            label, share = list(timed.probabilities.items())[1]
            st.metric(texts.WHATIF_PROBABILITY.format(label=plain(label)), plain(percent(share)))
        st.metric(
            texts.WHATIF_LATENCY,
            plain(latency(timed.latency_p50_us)),
            help=texts.WHATIF_LATENCY_HELP.format(calls=timed.calls, searched=plain(latency(searched))),
        )
        if actual is not None:
            was = significant(actual, 4) if isinstance(actual, float) else str(actual)
            st.metric(texts.WHATIF_ACTUAL, plain(was))
    if len(timed.probabilities) > 2:
        ranked = sorted(timed.probabilities.items(), key=lambda pair: -pair[1])[:6]
        st.markdown("  \n".join(f"{plain(label)}: {plain(percent(share))}" for label, share in ranked))


def _show_contributions(
    picked: Picked, model: Predictor, row: dict[str, Any], timed: TimedPrediction
) -> None:
    classes = [str(label) for label in timed.probabilities]
    label = str(timed.prediction)
    output = classes.index(label) if len(classes) > 2 and label in classes else None
    background = cached_reads.background(picked.view.folder)
    found, usual, prediction = explain.contributions(model, row, background, output=output)
    rows = len(next(iter(background.values())))

    def write(value: float) -> str:
        return plain(percent(value) if classes else significant(value, 4))

    st.markdown(
        f"**{texts.CONTRIBUTIONS}**",
        help=texts.CONTRIBUTIONS_HELP.format(rows=rows, usual=write(usual), prediction=write(prediction)),
    )
    st.plotly_chart(
        contribution_figure(found, percent=bool(classes)),
        key="contributions",
        config=CONFIG,
        alt=texts.CONTRIBUTIONS_ALT,
    )
