"""Make an environment for each peer, and one that draws the report's plots::

    python benchmarks/peers/make_environments.py --out environments

Peers pin each other's libraries apart, so they cannot share one. About 6 GB; an environment that is
there already is left. AutoGluon needs PyTorch first, and its CPU build is enough: where `pip
install torch` would bring CUDA, say where the CPU build is with ``--torch-index
https://download.pytorch.org/whl/cpu``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from pathlib import Path

TORCH = "torch==2.13.0"
ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "flaml": ("flaml[automl]==2.7.0", "pandas", "pyarrow"),
    "mljar": ("mljar-supervised==1.3.*", "pyarrow"),
    "autogluon": ("autogluon.tabular[all]==1.6.*", TORCH),
    "report": ("matplotlib", "numpy"),
}


def make(name: str, folder: Path, torch_index: str | None) -> None:
    """Make one environment; an interrupted one is finished when asked again."""
    done = folder / "ready"
    if done.exists():
        print(f"{name}: there already", flush=True)
        return
    venv.create(folder, with_pip=True, clear=folder.exists())
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    packages = ENVIRONMENTS[name]
    if TORCH in packages:
        where = ["--index-url", torch_index] if torch_index else []
        subprocess.run([*pip, *where, TORCH], check=True)
    subprocess.run([*pip, *packages], check=True)
    done.touch()
    print(f"{name}: made", flush=True)


def main() -> int:
    """Make what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the environments")
    parser.add_argument("--only", help=f"comma-separated: {', '.join(ENVIRONMENTS)}; default: all")
    parser.add_argument(
        "--torch-index", help="package index that has PyTorch's CPU build; default: pip's own"
    )
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(ENVIRONMENTS)
    if unknown := sorted(set(names) - set(ENVIRONMENTS)):
        raise SystemExit(f"no environment {', '.join(unknown)}; there are {', '.join(ENVIRONMENTS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in names:
        make(name, options.out / name, options.torch_index)
    return 0


if __name__ == "__main__":
    sys.exit(main())
