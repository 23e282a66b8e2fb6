"""Write the training and test rows of a data set, the very ones that every system of the benchmark
gets.

For example::

    python benchmarks/peers/split.py --name subscriptions --out /tmp/subscriptions
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tables import SHIPPED_DATA, SHIPPED_LIST, choose, read_list, split, write


def main() -> None:
    """Write ``train`` and ``test`` files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", type=Path, default=SHIPPED_LIST, help="TOML or JSON list of data sets")
    parser.add_argument("--data", type=Path, default=SHIPPED_DATA, help="folder of the files in the list")
    parser.add_argument("--name", required=True, help="data set")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    options = parser.parse_args()
    (table,) = choose(read_list(options.list), options.name)
    cut = split(table, options.data, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, frame in (("train", cut.train), ("test", cut.test)):
        path = write(frame, options.out / f"{name}.{options.format}")
        print(f"{path}: {len(frame)} rows, {frame.shape[1]} columns, target {table.target!r}")


if __name__ == "__main__":
    main()
