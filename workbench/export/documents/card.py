"""The model card and the README of a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.data.dataset import Dataset
from workbench.explain import Explanation
from workbench.runtime.bundle.manifest import Manifest
from workbench.runtime.core.schema import Column
from workbench.tradeoff.decision import Decision
from workbench.tradeoff.sentences import latency_text, money

from .deploy import dns_name
from .yaml_files import dump_yaml

_MOST_LEVELS, _MOST_DRIVERS = 5, 10
_CONTROL = str.maketrans(
    {
        "\n": " ",
        "\r": " ",
        "\t": " ",
        "|": "\\|",
        "<": "&lt;",
        ">": "&gt;",
        "`": "'",
        "*": "\\*",
        "[": "\\[",
        "]": "\\]",
    }
)


def plain(text: object) -> str:
    """Return text that Markdown shows literally: on one line, without ending a table cell or
    opening a tag.

    Examples
    --------
    >>> plain("a|b <i>")
    'a\\\\|b &lt;i&gt;'
    """
    return str(text).translate(_CONTROL)


def model_card(
    manifest: Manifest,
    decision: Decision,
    data: Dataset,
    notes: Sequence[str] = (),
    *,
    trained_again: bool = False,
    held_out: int = 0,
    drivers: Explanation | str = "",
) -> str:
    """Return ``MODEL_CARD.md``.

    Parameters
    ----------
    manifest : Manifest
        Without its `files`: the card is one of them.
    decision : Decision
    data : Dataset
        The training data.
    notes : sequence of str
        What users of the model should know.
    trained_again : bool
        Whether the model was trained again on all rows after the candidate was scored.
    held_out : int
        Rows held out for the score, on which the model was not trained.
    drivers : Explanation or str
        Which columns drive the candidate, or why that was not computed.
    """
    parts = [
        _front_matter(manifest),
        f"# {plain(manifest.name)}, version {plain(manifest.version)}",
        _purpose(manifest),
        "## Score",
        _quality(manifest, trained_again, held_out),
        "## Latency and price",
        _cost(manifest, decision),
        "## Why this model",
        _decision(decision),
        "## Feature importance",
        _drivers(manifest, drivers),
        "## Training data",
        _training(manifest, data),
        "## Inputs",
        _columns(data.schema.columns),
        "## Limitations",
        _limits(data, notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(manifest: Manifest) -> str:
    """Return the front matter that Hugging Face and other readers of model cards parse."""
    task = "tabular-regression" if manifest.task == "regression" else "tabular-classification"
    metric = manifest.metric
    result = {
        "task": {"type": task},
        "dataset": {"type": "tabular", "name": manifest.data.name or "training data"},
        "metrics": [{"type": metric.name, "value": metric.value, "name": f"{metric.name} ({metric.data})"}],
    }
    document = {
        "library_name": "onnx",
        "pipeline_tag": task,
        "tags": ["tabular", "onnx", manifest.lineage.family],
        "metrics": [metric.name],
        "model-index": [{"name": manifest.name, "results": [result]}],
    }
    return f"---\n{dump_yaml(document)}---"


def _purpose(manifest: Manifest) -> str:
    target = plain(manifest.target)
    if manifest.task == "regression":
        return f"Predicts the number **{target}** for a row. Model family: {plain(manifest.lineage.family)}."
    labels = ", ".join(plain(label) for label in manifest.classes[:20])
    more = f" and {len(manifest.classes) - 20} more" if len(manifest.classes) > 20 else ""
    positive = f" The positive class is {plain(manifest.classes[1])}." if manifest.task == "binary" else ""
    return (
        f"Predicts **{target}** for a row, one of {labels}{more}, with a probability for each.{positive} "
        f"Model family: {plain(manifest.lineage.family)}."
    )


def _quality(manifest: Manifest, trained_again: bool, held_out: int) -> str:
    metric = manifest.metric
    interval = "" if metric.low is None else f", 95 % interval {metric.low:.4g} to {metric.high:.4g}"
    rows = f", {metric.rows:,} rows" if metric.rows else ""
    direction = (
        " The metric is a negated error, so higher is better."
        if metric.name.startswith("neg_")
        else " Higher is better."
    )
    return (
        f"{plain(metric.name)} **{metric.value:.4g}**{interval} ({plain(metric.data)}{rows}).{direction} "
        + (
            "The score is that of the candidate in the search. The model in this bundle was then trained again with "
            "the same settings on all rows, including those held out for the score, and was not scored itself."
            if trained_again
            else "The model in this bundle is the one that the search scored"
            + (f"; it was not trained on the {held_out:,} rows held out for the score." if held_out else ".")
        )
    )


def _cost(manifest: Manifest, decision: Decision) -> str:
    lines = []
    latency = manifest.latency
    if latency is not None:
        lines.append(
            f"- One row in process: p50 {latency_text(latency.p50_us)}, p99 {latency_text(latency.p99_us)} "
            f"({latency.calls:,} calls in {latency.blocks} blocks, {latency.threads} thread, "
            f"on {plain(latency.machine)})."
        )
    if manifest.cpu_us_per_row is not None:
        lines.append(f"- CPU time of one row: {latency_text(manifest.cpu_us_per_row)}, without HTTP.")
    if manifest.price is not None:
        sheet = decision.choice.sheet
        currency = sheet.currency if sheet else "$"
        where = f" on {plain(sheet.instance)}" if sheet else ""
        lines.append(
            f"- A million predictions: {money(manifest.price.per_million_usd, plain(currency))}{where}."
        )
    return "\n".join(lines) or "Not measured."


def _decision(decision: Decision) -> str:
    choice = decision.choice
    rule = f"by id ({choice.id})" if choice.how == "id" else f"by the rule “{choice.how}”"
    limits = ", ".join(f"{name} {value:g}" for name, value in choice.limits.to_json().items())
    limits = f"{limits} ({choice.meeting_limits} candidates are within them)" if limits else "none"
    lines = [
        f"{plain(decision.by)} picked {choice.id} {rule} on {plain(decision.when[:10])} out of {choice.considered} "
        f"candidates. Limits: {limits}.",
    ]
    if decision.note:
        lines += [f"> {plain(decision.note)}", ""]
    set_by_hand = (decision.threshold.to_text(),) if decision.threshold else ()
    paid = _payoff(decision)
    lines += [
        f"- {plain(sentence)}" for sentence in (*set_by_hand, *paid, *choice.sentences, *choice.warnings)
    ]
    return "\n".join([lines[0], "", *lines[1:]]).rstrip("\n")


def _payoff(decision: Decision) -> list[str]:
    """Return the payoff of outcomes and its origin, and the rows on which the cost of mistakes was
    counted.
    """
    terms, row = decision.choice.terms, decision.choice.row
    if terms is None or terms.payoff is None:
        return []
    currency = terms.sheet.currency
    amounts = ", ".join(f"{name} {money(value, currency)}" for name, value in terms.payoff.to_json().items())
    each = (
        "" if terms.payoff.threshold is not None else f" for each {terms.unit or 'unit'} too high or too low"
    )
    origin = {"now": "given at export", "decision": "decided in the run", "search": "given to the search"}
    payoff = (
        f"Payoff of outcomes: {amounts}{each} ({origin.get(terms.sources.get('payoff', ''), 'default')})."
    )
    data = row.expected_cost_data
    return [payoff, f"The cost of mistakes is computed {data}."] if data else [payoff]


def _drivers(manifest: Manifest, drivers: Explanation | str) -> str:
    """Return the most important columns: the loss of score without each, and its effect on the
    prediction.
    """
    if isinstance(drivers, str):
        return plain(drivers)
    first = drivers.importance[0]
    where = "held-out rows" if first.unseen else "training rows (none were held out)"
    rows = [
        f"Permutation importance: the decrease of {plain(first.metric)} when one column is shuffled, {first.repeats} "
        f"times on {first.rows:,} {where}, with a 95 % interval. Columns with the same information share it. The last "
        f"two columns show, for the most important ones, the lowest and the highest average prediction"
        f"{_followed(manifest)} when only this column varies, and its value there.",
        "",
        "| column | decrease | 95 % interval | lowest prediction | highest prediction |",
        "|---|---|---|---|---|",
    ]
    curves = {curve["column"]: curve for curve in drivers.curves}
    for each in drivers.importance[:_MOST_DRIVERS]:
        ends = " | ".join(_ends(curves[each.column])) if each.column in curves else " | "
        interval = f"{each.low:.3g} to {each.high:.3g}"
        rows.append(f"| {plain(each.column)} | {each.drop:.3g} | {interval} | {ends} |")
    more = len(drivers.importance) - _MOST_DRIVERS
    return "\n".join([*rows, *([f"\n{more} more columns are less important."] if more > 0 else [])])


def _followed(manifest: Manifest) -> str:
    return f" (probability of {plain(manifest.classes[-1])})" if manifest.classes else ""


def _ends(curve: Mapping[str, Any]) -> tuple[str, str]:
    """Return the lowest and the highest value of a curve with its position: "0.12 at 2"."""
    mean, values = curve["mean"], curve["values"]
    low, high = min(range(len(mean)), key=mean.__getitem__), max(range(len(mean)), key=mean.__getitem__)
    return f"{mean[low]:.3g} at {_value(values[low])}", f"{mean[high]:.3g} at {_value(values[high])}"


def _value(value: object) -> str:
    if value is None:
        return "a missing value"
    return f"{value:.4g}" if isinstance(value, float) else plain(value)


def _training(manifest: Manifest, data: Dataset) -> str:
    source = manifest.data
    lines = [
        f"{source.rows:,} rows of {plain(source.name)}, read on {plain(source.date) or 'an unknown day'}; "
        f"fingerprint {source.fingerprint[:16]}….",
    ]
    lines += [f"- {finding.severity}: {plain(finding.message)}" for finding in data.findings]
    return "\n".join([lines[0], "", *lines[1:]]).rstrip("\n")


def _columns(columns: Sequence[Column]) -> str:
    rows = ["| column | kind | missing allowed | seen in training |", "|---|---|---|---|"]
    for column in columns:
        nullable = "yes" if column.nullable else "no"
        rows.append(f"| {plain(column.name)} | {column.kind} | {nullable} | {_training_range(column)} |")
    return "\n".join(rows)


def _training_range(column: Column) -> str:
    if column.categories:
        more = len(column.categories) - _MOST_LEVELS
        levels = ", ".join(plain(level) for level in column.categories[:_MOST_LEVELS])
        return f"{levels} and {more} more" if more > 0 else levels
    if column.low is None or column.high is None:
        return ""
    low, high = column.write(column.low), column.write(column.high)
    return f"{plain(low)} to {plain(high)} {plain(column.unit)}".rstrip()


def _limits(data: Dataset, notes: Sequence[str]) -> str:
    strict = [column.name for column in data.schema.columns if column.is_numeric and not column.nullable]
    lines = [
        "The model is valid for rows like the training data. Predictions for other populations or later times may be "
        + ("wrong and still have high probabilities." if data.n_classes else "wrong."),
        "A category that is not in the training data is treated as unknown, and so is a missing one in a column that "
        "had none missing. A number outside the training range may be treated as the nearest one within it.",
    ]
    if strict:
        named = ", ".join(plain(name) for name in strict[:8]) + (" and others" if len(strict) > 8 else "")
        lines.append(f"A missing value is an error in {named}: the training data have none there.")
    return "\n".join(f"- {line}" for line in (*lines, *(plain(note) for note in notes)))


def readme(manifest: Manifest) -> str:
    """Return the bundle's ``README.md``."""
    return f"""# {plain(manifest.name)}, version {plain(manifest.version)}

This folder has everything that is needed to predict with this model. Set up once, with Python 3.11 or newer:

    pip install -r requirements.txt

Then, inside the folder:

    python -m runtime predict rows.csv --out predictions.csv    # score a file (csv, jsonl; parquet with pyarrow)
    python -m runtime serve --port 8080                         # serve over HTTP
    python -m runtime check                                     # checksums and golden rows

From Python, with `workbench` installed: `workbench.load("this folder").predict({{...}})`; with MLflow installed:
`mlflow.pyfunc.load_model("this folder").predict(frame)`. In a container: `docker build -t {dns_name(manifest.name)} .`;
compose, Kubernetes and KServe files are in `deploy/`.
{_other_languages(manifest)}
`golden.jsonl` has rows of the training data; "Limitations" in `MODEL_CARD.md` states which of their values are real.
Check it before you share this folder.

`MODEL_CARD.md` describes the model for people, `schema.json` its inputs and output, `profile.json` the distribution of
the training data, `decision.json` why it was chosen, and `sbom.cdx.json` its components.
"""


def _other_languages(manifest: Manifest) -> str:
    reason = manifest.omitted.get("pipeline.onnx")
    if reason:
        return f"\nThere is no `pipeline.onnx`: {plain(reason)}\n"
    return """
Other languages run `pipeline.onnx` with ONNX Runtime. Each column is an input of the same name, shape (n, 1): float64
for numbers, booleans (1 or 0) and date-times (seconds since 1970 UTC), with NaN for a missing value; string for
categories and text, with an empty string for a missing value. Pass strings without surrounding blanks, and whole
numbers that are categories without a decimal part. The model's metadata documents each column.
"""
