"""The two pages of a bundle that people read: the model card, and the README with three commands."""

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
    """Return a text so that Markdown shows it as it is: on one line, no table cell ended, no tag opened.

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
        What the model learned from.
    notes : sequence of str
        What whoever uses the model should know.
    trained_again : bool
        Whether the model is another one than was scored: of the same config, trained on all rows.
    held_out : int
        Rows that the model has not learned from, since the score is computed on them.
    drivers : Explanation or str
        What drives the candidate, or why that is not said.
    """
    parts = [
        _front_matter(manifest),
        f"# {plain(manifest.name)}, version {plain(manifest.version)}",
        _purpose(manifest),
        "## How good it is",
        _quality(manifest, trained_again, held_out),
        "## How fast and at what price",
        _cost(manifest, decision),
        "## Why this one",
        _decision(decision),
        "## What drives it",
        _drivers(manifest, drivers),
        "## What it learned from",
        _training(manifest, data),
        "## Its input",
        _columns(data.schema.columns),
        "## Its limits",
        _limits(data, notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(manifest: Manifest) -> str:
    """Return the metadata that Hugging Face and other readers of model cards take from the top of the page."""
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
        return f"Predicts the number **{target}** of a row. Model family: {plain(manifest.lineage.family)}."
    labels = ", ".join(plain(label) for label in manifest.classes[:20])
    more = f" and {len(manifest.classes) - 20} more" if len(manifest.classes) > 20 else ""
    positive = f" The positive class is {plain(manifest.classes[1])}." if manifest.task == "binary" else ""
    return (
        f"Predicts **{target}** of a row, one of {labels}{more}, with a probability for each.{positive} "
        f"Model family: {plain(manifest.lineage.family)}."
    )


def _quality(manifest: Manifest, trained_again: bool, held_out: int) -> str:
    metric = manifest.metric
    interval = "" if metric.low is None else f", 95 % interval {metric.low:.4g} to {metric.high:.4g}"
    rows = f", {metric.rows:,} rows" if metric.rows else ""
    direction = (
        " Errors are negative: higher is better." if metric.name.startswith("neg_") else " Higher is better."
    )
    return (
        f"{plain(metric.name)} **{metric.value:.4g}**{interval} ({plain(metric.data)}{rows}).{direction} "
        + (
            "The score is of the candidate as the search trained it; the model in this bundle was then trained again, "
            "in the same way, on all rows, those included."
            if trained_again
            else "The model in this bundle is the one that the search scored"
            + (f"; it has not learned from the {held_out:,} rows held out for that." if held_out else ".")
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
        lines.append(f"- CPU time of one row: {latency_text(manifest.cpu_us_per_row)}, HTTP not counted.")
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
    rule = f"by name ({choice.id})" if choice.how == "id" else f"as the {choice.how} one"
    limits = ", ".join(f"{name} {value:g}" for name, value in choice.limits.to_json().items()) or "none"
    lines = [
        f"Picked {rule} by {plain(decision.by)} on {plain(decision.when[:10])} out of {choice.considered} candidates. "
        f"Limits: {limits} ({choice.meeting_limits} met them).",
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
    """Say what outcomes pay, who said it, and on which rows the cost of mistakes was counted."""
    terms, row = decision.choice.terms, decision.choice.row
    if terms is None or terms.payoff is None:
        return []
    currency = terms.sheet.currency
    amounts = ", ".join(f"{name} {money(value, currency)}" for name, value in terms.payoff.to_json().items())
    each = (
        "" if terms.payoff.threshold is not None else f" for each {terms.unit or 'unit'} too high or too low"
    )
    who = {"now": "given at export", "decision": "decided in the run", "search": "given to the search"}
    said = f"Outcomes pay {amounts}{each} ({who.get(terms.sources.get('payoff', ''), 'default')})."
    data = row.expected_cost_data
    return [said, f"The cost of mistakes was counted {data}."] if data else [said]


def _drivers(manifest: Manifest, drivers: Explanation | str) -> str:
    """Return the columns that matter most, what the score loses without each, and where the answer goes."""
    if isinstance(drivers, str):
        return plain(drivers)
    first = drivers.importance[0]
    where = (
        "rows that no choice has seen" if first.unseen else "rows that it learned from (none were held out)"
    )
    rows = [
        f"What {plain(first.metric)} loses when one column is shuffled, {first.repeats} times on {first.rows:,} "
        f"{where}, with 95 % intervals; columns that say the same share it. Beside it where the average answer is "
        f"lowest and highest{_followed(manifest)} when the column alone is moved.",
        "",
        "| column | lost | 95 % | lowest answer | highest answer |",
        "|---|---|---|---|---|",
    ]
    curves = {curve["column"]: curve for curve in drivers.curves}
    for each in drivers.importance[:_MOST_DRIVERS]:
        ends = " | ".join(_ends(curves[each.column])) if each.column in curves else " | "
        interval = f"{each.low:.3g} to {each.high:.3g}"
        rows.append(f"| {plain(each.column)} | {each.drop:.3g} | {interval} | {ends} |")
    more = len(drivers.importance) - _MOST_DRIVERS
    return "\n".join([*rows, *([f"\n{more} more columns matter less."] if more > 0 else [])])


def _followed(manifest: Manifest) -> str:
    return f" (probability of {plain(manifest.classes[-1])})" if manifest.classes else ""


def _ends(curve: Mapping[str, Any]) -> tuple[str, str]:
    """Return where a curve is lowest and highest: "0.12 at 2"."""
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
        rows.append(f"| {plain(column.name)} | {column.kind} | {nullable} | {_seen(column)} |")
    return "\n".join(rows)


def _seen(column: Column) -> str:
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
        "It knows what the rows above showed it. Rows from elsewhere, or of a later time, may be answered wrongly "
        "with full confidence.",
        "A category that training never met is answered as an unknown one, and so is a missing one where training "
        "saw none missing; a number outside the range seen may be "
        "taken for the nearest one seen.",
    ]
    if strict:
        named = ", ".join(plain(name) for name in strict[:8]) + (" and others" if len(strict) > 8 else "")
        lines.append(f"A missing value is refused in {named}: training saw none there.")
    return "\n".join(f"- {line}" for line in (*lines, *(plain(note) for note in notes)))


def readme(manifest: Manifest) -> str:
    """Return the bundle's ``README.md``."""
    return f"""# {plain(manifest.name)}, version {plain(manifest.version)}

Everything that answers with this model is in this folder. Set up once, with Python 3.11 or newer:

    pip install -r requirements.txt

Then, inside the folder:

    python -m runtime predict rows.csv --out predictions.csv    # score a file (csv, jsonl; parquet with pyarrow)
    python -m runtime serve --port 8080                         # answer over HTTP
    python -m runtime check                                     # checksums and golden rows

From Python, with `workbench` installed: `workbench.load("this folder").predict({{...}})`; with MLflow installed:
`mlflow.pyfunc.load_model("this folder").predict(frame)`. In a container: `docker build -t {dns_name(manifest.name)} .`;
compose, Kubernetes and KServe files are in `deploy/`.
{_other_languages(manifest)}
`golden.jsonl` holds rows of the training data; `MODEL_CARD.md` says under "Its limits" which of their values are real.
Look at it before this folder is passed on.

`MODEL_CARD.md` says what the model is good for, `schema.json` what it takes, `profile.json` what the training data
looked like, `decision.json` why it was chosen, `sbom.cdx.json` what it is made of.
"""


def _other_languages(manifest: Manifest) -> str:
    reason = manifest.omitted.get("pipeline.onnx")
    if reason:
        return f"\nThere is no `pipeline.onnx` in it: {plain(reason)}\n"
    return """
Other languages run `pipeline.onnx` with their own ONNX Runtime. Each column is an input of its own name, shape (n, 1):
float64 for numbers, booleans (1 or 0) and date-times (seconds since 1970 UTC), with NaN for a missing value; string for
categories and texts, with an empty string for a missing value. Texts are passed without blanks around them, and a whole
number that is a category without a decimal part. The model's metadata says the same, column by column.
"""
