"""Reads a recording of every version of the format that there has been: it says what it said when it was made.

usage: read_versions.py GAUGE_DUMP FOLDER

FOLDER has each as format-X.Y.gpf, with what gauge-dump prints of it as format-X.Y.jsonl, and what only some recordings
of a version have as format-X.Y-WHAT. A version to come gets its own pair; those that are there stay as they are.
GAUGE_BLESS=1 writes what gauge-dump prints now.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from compare_readers import compare


def check(path: Path, gauge_dump: str) -> str:
    """What is wrong with what is read; empty where nothing is."""
    printed = subprocess.run([gauge_dump, str(path)], stdout=subprocess.PIPE, check=True).stdout
    expected = path.with_suffix(".jsonl")
    if os.environ.get("GAUGE_BLESS"):
        expected.write_bytes(printed)
    version = path.stem.removeprefix("format-").partition("-")[0]
    if f'"version":"{version}"'.encode() not in printed:
        return f"is not of version {version}"
    if printed != expected.read_bytes():
        return f"is not read as {expected.name} says"
    compare(path.name, path, gauge_dump)
    return ""


def main() -> None:
    gauge_dump, folder = sys.argv[1:]
    recordings = sorted(Path(folder).glob("*.gpf"))
    if not recordings:
        sys.exit(f"{folder}: has no recordings")
    complaints = [f"{path.name}: {what}" for path in recordings if (what := check(path, gauge_dump))]
    print(f"{len(recordings)} recordings read")
    sys.exit("\n".join(complaints) or 0)


if __name__ == "__main__":
    main()
