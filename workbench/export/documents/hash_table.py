"""How the table of hashes that ships here is made.

Before a release, in an environment with the newest versions, ``python -m workbench.export.documents.hash_table``
asks pip's package index and writes the table again. Versions that it has already stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from .hashes import LINUX, TABLE_FILE, Table, ask, options_for, read_table
from .requirements import Pin, pins

_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_WINDOWS = ("win_amd64",)
_PLATFORMS = (*(LINUX[machine] for machine in sorted(LINUX)), ("macosx_14_0_arm64",), _WINDOWS)


def look_up(packages: Sequence[Pin]) -> dict[str, set[str]]:
    """Return the hashes of each package's files for every system of the table, as pip's index states them."""
    found: dict[str, set[str]] = {}
    for platforms in _PLATFORMS:
        wanted = [pin for pin in packages if not (pin.marker and platforms == _WINDOWS)]
        for python in _PYTHONS:
            for name, digest in ask(wanted, options_for(platforms, python)):
                found.setdefault(name, set()).add(digest)
    return found


def table_text(table: Table) -> str:
    """Return the content of the table's file."""
    lines = [
        "# sha256 of the files of each package and version; written by workbench/export/documents/hash_table.py.\n"
    ]
    for name in sorted(table):
        lines.append(f'["{name}"]\n')
        for version in sorted(table[name]):
            digests = "".join(f'    "{digest}",\n' for digest in sorted(table[name][version]))
            lines.append(f'"{version}" = [\n{digests}]\n')
    return "".join(lines)


def main() -> int:
    """Look up what is installed here and write the table."""
    packages, found = pins(), look_up(pins())
    missing = [pin.name for pin in packages if pin.name not in found]
    if missing:
        print(f"pip's index states no hashes of {', '.join(missing)}: the table stays as it is")
        return 1
    table = {name: dict(versions) for name, versions in read_table().items()}
    for pin in packages:
        table.setdefault(pin.name, {})[pin.version] = sorted(found[pin.name])
    TABLE_FILE.write_text(table_text(table), encoding="utf-8", newline="\n")
    print(f"{len(packages)} packages, {sum(map(len, found.values()))} files")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
