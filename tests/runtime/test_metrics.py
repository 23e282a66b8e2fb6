from __future__ import annotations

import re

from workbench.runtime.metrics import Metrics

SERIES = re.compile(r'[a-z_]+\{([a-z_]+="([^"\\\n]|\\.)*",?)*\} [0-9.e+-]+')


def test_the_text_is_what_prometheus_reads() -> None:
    metrics = Metrics({"model": 'a "name"\nwith\\all'})
    metrics.count("/predict", 200, 2, 0.0003)
    metrics.count("/predict", 200, 1, 99.0)
    metrics.count("other", 404, 0, 0.001)
    lines = metrics.text(ready=False).splitlines()
    assert all(line.startswith("# ") or SERIES.fullmatch(line) for line in lines)
    assert len([line for line in lines if line[0] != "#"]) == len(
        {line.rsplit(" ", 1)[0] for line in lines if line[0] != "#"}
    )


def test_a_histogram_adds_up() -> None:
    metrics = Metrics({})
    for seconds in (0.0001, 0.0002, 0.02, 99.0):
        metrics.count("/predict", 200, 1, seconds)
    lines = metrics.text(ready=True).splitlines()
    counts = [int(line.rsplit(" ", 1)[1]) for line in lines if "_bucket{" in line]
    assert counts == sorted(counts)
    assert (counts[0], counts[-2], counts[-1]) == (1, 3, 4)
    (total,) = (line for line in lines if "_seconds_sum{" in line)
    assert float(total.rsplit(" ", 1)[1]) == 0.0001 + 0.0002 + 0.02 + 99.0


def test_probes_do_not_dilute_durations() -> None:
    metrics = Metrics({})
    metrics.count("/ping", 200, 0, 0.001)
    text = metrics.text(ready=True)
    assert "_bucket" not in text
    assert 'workbench_requests_total{route="/ping",status="200"' in text
