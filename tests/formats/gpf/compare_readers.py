"""Compares tests/python/gpf_reader.py with gauge-dump, that is, with our reader, on generated recordings.

usage: compare_readers.py GAUGE_GENERATE GAUGE_DUMP
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))

from gpf_reader import Message, Recording, column, fields, one, recordings  # noqa: E402

RECORDINGS = {
    "many blocks": ["--samples", "6000", "--threads", "3", "--depth", "12", "--functions", "300"],
    "one thread": ["--samples", "500", "--threads", "1", "--depth", "3", "--seed", "7"],
    "deep and wide": ["--samples", "300", "--threads", "16", "--depth", "60", "--seed", "3"],
    "slow": ["--samples", "400", "--interval-ns", "10000000", "--seed", "5"],
    "tasks": ["--samples", "6000", "--threads", "2", "--depth", "9", "--tasks", "70", "--seed", "8"],
    "a part": ["--samples", "3000", "--threads", "2", "--depth", "9", "--tasks", "70", "--part", "3"],
    "a first part": ["--samples", "500", "--threads", "2", "--tasks", "5", "--part", "1"],
    "nothing": ["--samples", "0"],
}
SPOIL = {
    "whole": lambda data: data,
    "cut": lambda data: data[:-7],
    "garbage at the end": lambda data: data + bytes(1000),
    "two recordings": lambda data: data + data,
    "a cut one before another": lambda data: data[:-7] + data,
    "a flipped bit": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 4]) + data[len(data) // 2 + 1 :]
    ),
}


def text(data: bytes) -> str:
    return data.decode("utf-8")


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def stack_texts(recording: Recording, stack: int) -> list[str] | None:
    """The frames, innermost first; None where a damaged block has taken a definition."""
    frames = []
    try:
        while stack:
            stack, frame = recording.stacks[stack]
            function_id, line, column = recording.frames[frame]
            function = recording.functions[function_id]
            module, name, file = (text(recording.strings[one(function, field)]) for field in (3, 2, 4))
            frames.append(f"{module}::{name}@{file}:{one(function, 5)}:{line}:{column}")
    except KeyError:
        return None
    return frames


def block_line(recording: Recording, block: Message) -> dict[str, Any]:
    line: dict[str, Any] = {"block": one(block, 1)}
    definitions = fields(one(block, 2, b""))
    is_part = one(recording.metadata, 26) != 0
    threads = [fields(data) for data in definitions.get(11, [])]
    line["threads"] = [
        [one(thread, 1), one(thread, 2), text(recording.strings.get(one(thread, 4), b"")), *[one(thread, 6)] * is_part]
        for thread in threads
    ]
    tasks = range(one(definitions, 13), one(definitions, 13) + len(column(definitions, 14)))
    whole_ids = column(definitions, 16) or [0] * len(tasks)
    line["tasks"] = [[task, text(recording.tasks[task]), *[whole] * is_part] for task, whole in zip(tasks, whole_ids)]
    if 3 in block:
        rows = recording.rows(fields(one(block, 3)))
        line["samples"] = [[*row[:2], stack_texts(recording, row[2]), *row[3:]] for row in rows]
    if 4 in block:
        line["ticks"] = one(fields(one(block, 4)), 1)
    line["clock"] = [signed(one(pair, 2)) - signed(one(pair, 1)) for pair in map(fields, block.get(5, []))]
    if 6 in block:
        line["end"] = text(one(fields(one(block, 6)), 2, b""))
    return line


def dump(recording: Recording) -> Iterator[dict[str, Any]]:
    """What gauge-dump prints of a recording, found by the plain Python reader."""
    metadata = recording.metadata
    of_part = {"part": one(metadata, 26)}
    of_part |= {"first_start_monotonic_ns": signed(one(metadata, 27)), "first_start_unix_ns": signed(one(metadata, 28))}
    yield {
        "metadata": {
            "version": f"{one(metadata, 1)}.{one(metadata, 2)}",
            "run_id": one(metadata, 4, b"").hex(),
            "pid": one(metadata, 8),
            "python_version": text(one(metadata, 14, b"")),
            "command": [text(argument) for argument in metadata.get(10, [])],
            "interval_ns": one(metadata, 18),
            "start_unix_ns": signed(one(metadata, 21)),
            **(of_part if one(metadata, 26) else {}),
        }
    }
    lines = [block_line(recording, block) for block in recording.blocks()]
    yield from lines
    yield {
        "report": {
            "blocks": len(lines),
            "samples": sum(len(line.get("samples", [])) for line in lines),
            "damaged": recording.damaged,
            "dropped_bytes": recording.dropped_bytes,
            "truncated": not any("end" in line for line in lines),
        }
    }


def compare(name: str, path: Path, gauge_dump: str) -> int:
    """Returns how many samples were compared."""
    output = subprocess.run([gauge_dump, str(path)], stdout=subprocess.PIPE, check=True).stdout
    ours = [json.loads(line) for line in output.splitlines()]
    theirs = [line for recording in recordings(path.read_bytes()) for line in dump(recording)]
    if len(ours) != len(theirs):
        sys.exit(f"{name}: {len(ours)} lines from gauge-dump, {len(theirs)} from the plain Python reader")
    for our_line, their_line in zip(ours, theirs):
        if our_line != their_line:
            sys.exit(f"{name}: the readers disagree\n{str(our_line)[:2000]}\n{str(their_line)[:2000]}")
    return sum(line["report"]["samples"] for line in ours if "report" in line)


def main() -> None:
    gauge_generate, gauge_dump = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gpf"
        for name, options in RECORDINGS.items():
            subprocess.run([gauge_generate, *options, "-o", str(path)], check=True)
            data = path.read_bytes()
            for what, spoil in SPOIL.items():
                if name == "nothing" and what == "a flipped bit":
                    continue  # it would hit the header
                path.write_bytes(spoil(data))
                samples = compare(f"{name}, {what}", path, gauge_dump)
                print(f"{name}, {what}: {samples} samples, both readers agree")


if __name__ == "__main__":
    main()
