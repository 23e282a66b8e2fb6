"""Write the small tables of this folder anew: ``python datasets/make_tables.py``."""

from pathlib import Path

from workbench.data.samples import load_sample

FOLDER = Path(__file__).parent
TABLES = ("subscriptions", "diabetes", "wine")


def main() -> None:
    """Write each table as CSV beside this file."""
    for name in TABLES:
        frame, _ = load_sample(name)
        frame.to_csv(FOLDER / f"{name}.csv", index=False, lineterminator="\n")
        print(f"{name}.csv: {len(frame)} rows, {len(frame.columns)} columns")


if __name__ == "__main__":
    main()
