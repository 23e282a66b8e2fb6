"""Quality of a candidate: curves of binary models, confusion matrix, regression errors."""

from __future__ import annotations

from contextlib import suppress

import plotly.graph_objects as go
import streamlit as st

from workbench import explain
from workbench.display import quality as figures
from workbench.display.numbers import interval, percent, plain, significant
from workbench.display.theme import CONFIG
from workbench.errors import WorkbenchError
from workbench.explain import Evidence
from workbench.ui.state import cached_reads
from workbench.ui.state.cached_reads import RunView
from workbench.ui.texts import choose as texts


def show_quality(view: RunView, candidate: str) -> None:
    """Show the charts for the task."""
    try:
        known = cached_reads.evidence(view.folder, candidate)
    except WorkbenchError as error:
        st.error(plain(error))
        return
    key = f"{view.folder.name}:{candidate}"
    if known.task == "regression":
        _show_numbers(view, candidate, known, key)
        return
    if known.task == "multiclass":
        _titled("confusion", figures.confusion_figure(explain.confusion(known), known.classes), key)
        position = st.selectbox(
            texts.QUALITY_CLASS,
            range(len(known.classes)),
            format_func=lambda at: str(known.classes[at]),
            key=f"quality_class:{key}",
        )
        known = known.against(position)
    _show_curves(known, key)


def _show_curves(known: Evidence, key: str) -> None:
    gains = explain.gains(known)
    share = float((known.weight * (known.y == 1)).sum() / known.weight.sum())
    left, right = st.columns(2)
    with left:
        _titled("roc", figures.roc_figure(explain.roc(known)), key)
        _titled("calibration", figures.calibration_figure(explain.calibration(known)), key)
    with right:
        _titled("pr", figures.precision_recall_figure(explain.precision_recall(known), share), key)
        _titled("gain", figures.gain_figure(gains), key)
    at = int((gains["looked"] >= 0.1).argmax())
    st.markdown(
        texts.LIFT_TEXT.format(lift=plain(significant(float(gains["lift"][at]))), yes=plain(known.classes[1]))
    )


def _show_numbers(view: RunView, candidate: str, known: Evidence, key: str) -> None:
    sample, summary = explain.residual_sample(known), explain.residual_summary(known)
    left, right = st.columns(2)
    with left:
        _titled("predicted", figures.predicted_figure(sample, view.target), key)
    with right:
        _titled("residuals", figures.residual_figure(sample, view.target), key)
    st.markdown(
        texts.RESIDUAL_TEXT.format(
            median=plain(significant(summary["median_error"], 3)),
            p90=plain(significant(summary["p90_error"], 3)),
            bias=plain(significant(abs(summary["bias"]), 3)),
            way="high" if summary["bias"] > 0 else "low",
        )
    )
    unseen: Evidence | None = None
    with suppress(WorkbenchError):
        unseen = cached_reads.evidence(view.folder, candidate, "holdout")
    st.markdown(f"**{texts.COVERAGE}**", help=texts.COVERAGE_HELP)
    names = texts.COVERAGE_COLUMNS
    table = [
        {
            names["level"]: percent(row["level"], 0),
            names["half_width"]: significant(row["half_width"], 3),
            names["covered"]: percent(row["covered"]),
            names["interval"]: interval(row["low"], row["high"], "accuracy"),
        }
        for row in explain.coverage(known, unseen)
    ]
    st.dataframe(table, hide_index=True, width="stretch")


def _titled(name: str, figure: go.Figure, key: str) -> None:
    title, explained = texts.QUALITY[name]
    st.markdown(f"**{title}**", help=explained)
    st.plotly_chart(figure, key=f"{name}:{key}", config=CONFIG, alt=f"{title}. {explained}")
