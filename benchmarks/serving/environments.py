"""Make the environments of the servers that are compared, each with the very versions that trained
the model.

python benchmarks/serving/environments.py FOLDER
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

_TRAINED_WITH = ("numpy", "scipy", "pandas", "scikit-learn", "lightgbm", "joblib")
PACKAGES = {
    "fastapi": ["fastapi", "uvicorn[standard]"],
    "mlflow": ["mlflow", "uvicorn"],
    "bentoml": ["bentoml"],
}


def make(folder: Path, name: str) -> Path | None:
    """Return the interpreter of an environment, made where it is not there yet; None where it
    cannot be installed.
    """
    python = folder / name / "bin" / "python"
    done = folder / name / "installed"
    if done.exists():
        return python
    pins = [f"{package}=={version(package)}" for package in _TRAINED_WITH]
    subprocess.run([sys.executable, "-m", "venv", str(folder / name)], check=True)
    words = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES[name]]
    loose = [package for package in _TRAINED_WITH if package not in ("scipy",)]
    for wanted in (pins, loose):  # some servers bound the versions that they take
        if subprocess.run([*words, *wanted], check=False).returncode == 0:
            done.write_text("\n".join(wanted) + "\n", encoding="utf-8")
            return python
    return None


if __name__ == "__main__":
    for each in PACKAGES:
        print(each, make(Path(sys.argv[1]), each) or "cannot be installed")
