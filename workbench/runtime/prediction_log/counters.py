"""Names of the log's Prometheus counters."""

from __future__ import annotations

ROWS = "workbench_prediction_log_rows_total"
DROPPED = "workbench_prediction_log_dropped_total"
ERRORS = "workbench_prediction_log_errors_total"
QUEUE = "workbench_prediction_log_queue_rows"


def counters_help() -> tuple[tuple[str, str, tuple[str, ...], str], ...]:
    """Return name, kind, labels and help of the counters, as `serving.counters` lists them."""
    return (
        (ROWS, "counter", (), "Rows written to the prediction log."),
        (DROPPED, "counter", ("reason",), "Rows that the prediction log does not hold, by reason."),
        (ERRORS, "counter", (), "Writes of the prediction log that failed."),
    )
