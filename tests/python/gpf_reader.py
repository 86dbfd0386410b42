"""Reads .gpf recordings, written from docs/gpf-format.md and schemas/gauge.proto alone, to show that they suffice.

Plain Python, not meant to be fast; zstd comes from the zstandard package or else from the zstd command.
"""

from __future__ import annotations

import importlib
import importlib.util
import struct
import subprocess
from collections.abc import Iterator
from typing import Any

zstandard = importlib.import_module("zstandard") if importlib.util.find_spec("zstandard") else None

FRAME, HEADER, MAGIC = b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\x89GPF\r\n\x1a\n"
MAX_CONTENT = 16 << 20

Message = dict[int, list[Any]]  # the fields of a message by number, each with all its values: numbers, or bytes
# Time in ns, thread, stack, status, CPU time in ns, same frames; task, outer frames, same frames of the task.
Row = tuple[int, ...]


def decompress(frame: bytes) -> bytes:
    """Decompresses one frame. Raises an exception of whatever kind where it is damaged."""
    if zstandard is None:
        return subprocess.run(["zstd", "-dcq"], input=frame, capture_output=True, check=True).stdout
    return zstandard.ZstdDecompressor().decompress(frame, max_output_size=MAX_CONTENT)


def frame_end(data: bytes, at: int) -> int:
    """Where the frame at `at` ends, or 0 where none begins. IndexError or struct.error: it is cut."""
    if data[at + 1 : at + 4] == HEADER[1:] and data[at] >> 4 == 5 and data[at + 8 : at + 16] != MAGIC:
        return at + 8 + struct.unpack_from("<I", data, at + 4)[0]
    if data[at : at + 4] != FRAME or data[at + 4] & 0x3F != 0x24:
        return 0
    form = ("<B", "<H", "<I", "<Q")[data[at + 4] >> 6]
    if struct.unpack_from(form, data, at + 5)[0] > MAX_CONTENT:
        return 0
    at += 5 + struct.calcsize(form)
    last = 0
    while not last:
        block = data[at] | data[at + 1] << 8 | data[at + 2] << 16
        last, block_type, size = block & 1, block >> 1 & 3, block >> 3
        at += 3 + (1 if block_type == 1 else size)
    struct.unpack_from("<I", data, at)  # the checksum is there
    return at + 4


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = data[at] & 0x7F
    shift = 7
    while data[at] >= 0x80:
        at += 1
        value |= (data[at] & 0x7F) << shift
        shift += 7
    return value & (1 << 64) - 1, at + 1


def fields(data: bytes) -> Message:
    found: Message = {}
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
            value, at = data[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def column(message: Message, number: int) -> list[int]:
    values: list[int] = []
    for data in message.get(number, []):
        at = 0
        while at < len(data):
            value, at = varint(data, at)
            values.append(value)
    return values


def one(message: Message, number: int, default: Any = 0) -> Any:
    return message.get(number, [default])[-1]


def zigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)


def part_key(metadata: Message) -> tuple[Any, ...]:
    """What the parts of a rotated recording have in common: run, boot, host, pid, and when the first one began."""
    return tuple(one(metadata, number) for number in (4, 6, 7, 8, 27, 28))


def recordings(data: bytes) -> Iterator[Recording]:
    """The recordings of a file. Read all blocks of one before asking for the next."""
    at = 0
    while at < len(data):
        recording = Recording(data, at)
        yield recording
        at = recording.end


class Recording:
    """Its dictionaries hold what the blocks read so far define. After the last one, it tells what could not be read."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        if data[at : at + 4] != HEADER or data[at + 8 : at + 16] != MAGIC:
            raise ValueError("not a gauge recording")
        self.data = data
        length, major, _, incompatible = struct.unpack_from("<4xI8xHHI", data, at)
        if major != 1 or incompatible:
            raise ValueError("newer than this reader")
        self.start = at + 8 + length
        self.end = len(data)  # until the next recording has been found
        self.metadata = fields(decompress(data[at + 32 : self.start]))
        self.strings: dict[int, bytes] = {0: b""}
        self.functions: dict[int, Message] = {}
        self.frames: dict[int, tuple[int, int, int]] = {}  # function, line, column
        self.stacks: dict[int, tuple[int, int]] = {}  # stack of the callers, frame
        self.tasks: dict[int, bytes] = {}  # their names
        self.whole_threads: dict[int, int] = {}  # their ids in all parts, where this is one
        self.whole_tasks: dict[int, int] = {}
        self.damaged = self.dropped_bytes = 0

    def blocks(self) -> Iterator[Message]:
        at = self.start
        while at < len(self.data):
            if self.data.startswith(HEADER, at) and self.data.startswith(MAGIC, at + 8):
                self.end = at
                return
            end, block = -1, None
            following = self.following(at + 1)
            try:
                end = frame_end(self.data, at)
                if self.data.startswith(FRAME, at):
                    block = fields(one(fields(decompress(self.data[at:end])), 1))
            except Exception:  # damage: whatever the zstd at hand raises
                if end < 0 and following < 0:
                    self.dropped_bytes = len(self.data) - at
                    return
                end = 0
            if end == 0:
                self.damaged, end = self.damaged + 1, following if following > 0 else len(self.data)
            at = end
            if block is not None:
                self.define(fields(one(block, 2, b"")))
                yield block

    def following(self, at: int) -> int:
        """Where the next frame may begin: the inner one of a header does not count, the header does."""
        frame, magic = self.data.find(FRAME, at), self.data.find(MAGIC, at + 8)
        return magic - 8 if 0 <= magic < frame else frame

    def define(self, message: Message) -> None:
        self.strings.update(enumerate(message.get(2, []), one(message, 1)))
        self.functions.update(enumerate(map(fields, message.get(4, [])), one(message, 3)))
        functions, lines = column(message, 6), column(message, 7)
        columns = column(message, 12) or [0] * len(lines)
        self.frames.update(enumerate(zip(functions, lines, columns), one(message, 5)))
        for stack, (back, frame) in enumerate(zip(column(message, 9), column(message, 10)), one(message, 8)):
            self.stacks[stack] = stack - back, frame
        for task, (name, number) in enumerate(zip(column(message, 14), column(message, 15)), one(message, 13)):
            self.tasks[task] = self.strings.get(name, b"") if name else b"Task-%d" % number
        for task, whole in enumerate(column(message, 16) or [0] * len(column(message, 14)), one(message, 13)):
            self.whole_tasks[task] = whole or task
        for thread in map(fields, message.get(11, [])):
            self.whole_threads[one(thread, 1)] = one(thread, 6) or one(thread, 1)

    def rows(self, samples: Message) -> Iterator[Row]:
        columns = [column(samples, number) for number in range(5, 14)]
        time = zigzag(one(samples, 1))
        last: dict[int, int] = {}
        for delta, thread, stack, *rest in zip(*(entries or [0] * len(columns[0]) for entries in columns)):
            time += delta
            last[thread] = (last.get(thread, 0) + zigzag(stack)) & 0xFFFFFFFF
            status, cpu, *counts = rest
            yield time * one(samples, 2), thread, last[thread], status, cpu * one(samples, 3), *counts
