from __future__ import annotations

import json
import re
from pathlib import Path

from workbench.runtime.serving.counters import Metrics

SERIES = re.compile(r'[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)*\})? [0-9.e+-]+')


def values(metrics: Metrics) -> dict[str, float]:
    lines = metrics.text({}).splitlines()
    return {key: float(value) for key, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_the_text_is_what_prometheus_reads() -> None:
    metrics = Metrics({"model": 'a "name"\nwith\\all', "version": "1"})
    metrics.request("POST", "/predict", 200, 0.0003, rows=2)
    metrics.request("POST", "/predict", 200, 99.0, rows=1)
    metrics.request("GET", "other", 404, 0.001)
    metrics.inference(0.0003, ok=True, steps_s=(0.0001, 0.0001, 0.0001))
    metrics.lenient({("unseen_category", "plan"): 2})
    metrics.refusal("bad_value")
    lines = metrics.text({"workbench_model_ready": {(): 0}}).splitlines()
    assert all(line.startswith("# ") or SERIES.fullmatch(line) for line in lines)
    names = [line.rsplit(" ", 1)[0] for line in lines if line[0] != "#"]
    assert len(names) == len(set(names))
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))


def test_a_histogram_adds_up() -> None:
    metrics = Metrics({})
    for seconds in (0.0001, 0.0002, 0.02, 99.0):
        metrics.request("POST", "/predict", 200, seconds, rows=1)
    found = values(metrics)
    name = 'workbench_request_duration_seconds{}{{route="/predict"{}}}'
    counts = [
        value for key, value in found.items() if key.startswith("workbench_request_duration_seconds_bucket")
    ]
    assert counts == sorted(counts)
    assert (counts[0], counts[-2], counts[-1]) == (1, 3, 4)
    assert found[name.format("_sum", "")] == 0.0001 + 0.0002 + 0.02 + 99.0
    assert found[name.format("_count", "")] == 4


def test_probes_do_not_dilute_durations() -> None:
    metrics = Metrics({})
    metrics.request("GET", "/ping", 200, 0.001)
    text = metrics.text({})
    assert "workbench_request_duration" not in text
    assert 'workbench_requests_total{route="/ping",status="200"} 1' in text


def test_workers_add_up(tmp_path: Path) -> None:
    own, fellow = Metrics({}, tmp_path), Metrics({}, tmp_path)
    for metrics in (own, fellow):
        metrics.request("POST", "/predict", 200, 0.02, rows=2)
    fellow.share()
    (path,) = tmp_path.glob("*.json")
    document = json.loads(path.read_text())
    path.rename(tmp_path / "1.json")  # of another process
    assert document["single"]
    (tmp_path / "2.json").write_text("{")  # being written, or damaged: left out
    found = values(own)
    assert found["workbench_rows_total"] == 4
    assert found['workbench_request_duration_seconds_sum{route="/predict"}'] == 0.04
    assert values(Metrics({}))["workbench_rows_total"] == 0
