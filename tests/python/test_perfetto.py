"""Our Perfetto traces: decoded by Perfetto's own definitions, loaded by its trace processor, both against the model."""

from __future__ import annotations

import gzip
import json
import pathlib
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as official

import gauge_testing
from folded_model import CASES, fold_to, model_of, parse
from trace_slices import (
    NO_ERRORS,
    THREADS,
    AskPerfetto,
    Slice,
    costs_of,
    expected_costs,
    expected_times_by_line,
    is_of_thread,
    own_times_by_line,
    rows_of,
    slices_query,
)

SCHEMA = gauge_testing.REPOSITORY / "schemas/perfetto/trace.proto"
SLICES = slices_query("debug")
TASKS = """
    select track.id, track.name, thread.name, depth, slice.name, ts, dur, extract_arg(slice.arg_set_id, 'debug.samples')
    from slice join thread_track as track on slice.track_id = track.id join thread using (utid)
    where category = 'asyncio'"""
LOCATIONS = """
    select distinct name, extract_arg(arg_set_id, 'source.file_name'), extract_arg(arg_set_id, 'source.function_name'),
        extract_arg(arg_set_id, 'source.line_number')
    from slice where category = 'python'"""


def unknown_fields(message: Message) -> Iterator[str]:
    """Those of the message, and of all in it."""
    for unknown in UnknownFieldSet(message):
        yield f"{message.DESCRIPTOR.full_name}: {unknown.field_number}"
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for each in value if field.is_repeated else [value]:
            yield from unknown_fields(each)


def decode(path: pathlib.Path) -> Any:
    trace = official.Trace.FromString(path.read_bytes())
    assert list(unknown_fields(trace)) == []
    return trace


class Interned:
    """What packets of the one sequence refer to by number, so far. A number stands for one thing."""

    def __init__(self) -> None:
        self.tables: defaultdict[str, dict[int, Any]] = defaultdict(dict)

    def add(self, data: Message) -> None:
        for field, entries in data.ListFields():
            for entry in entries:
                assert entry.iid not in self.tables[field.name]
                self.tables[field.name][entry.iid] = entry

    def name(self, table: str, iid: int) -> str:
        return str(self.tables[table][iid].name)

    def annotations(self, event: Any) -> dict[str, int]:
        return {self.name("debug_annotation_names", each.name_iid): each.uint_value for each in event.debug_annotations}

    def location(self, event: Any) -> dict[str, Any]:
        if not event.source_location_iid:
            return {}
        location = self.tables["source_locations"][event.source_location_iid]
        return {"file": location.file_name, "line": location.line_number}


def lane_of(tracks: dict[int, Any], uuid: int) -> tuple[Any, ...]:
    """Of a thread as Perfetto's tables number it; of a task its thread's name, its own, and the track."""
    track = tracks[uuid]
    if track.HasField("thread"):
        assert tracks[track.parent_uuid].process.pid == track.thread.pid
        return (track.thread.pid, track.thread.tid)
    return (tracks[track.parent_uuid].thread.thread_name, track.name, uuid)


def read_packets(path: pathlib.Path) -> Iterator[Slice]:
    """Every slice once it ends, times since the recording began. Checks the rules of sequences and that slices nest."""
    trace = decode(path)
    (monotonic, _) = trace.packet[0].clock_snapshot.clocks
    interned = Interned()
    tracks: dict[int, Any] = {}
    open_slices: defaultdict[int, list[Slice]] = defaultdict(list)
    last: defaultdict[int, int] = defaultdict(int)
    for number, packet in enumerate(trace.packet):
        assert packet.trusted_packet_sequence_id == 1
        assert packet.sequence_flags == (packet.SEQ_NEEDS_INCREMENTAL_STATE if number else 1)
        interned.add(packet.interned_data)
        if packet.HasField("track_descriptor"):
            assert packet.track_descriptor.uuid not in tracks
            tracks[packet.track_descriptor.uuid] = packet.track_descriptor
        event = packet.track_event
        if event.type not in (event.TYPE_SLICE_BEGIN, event.TYPE_SLICE_END):
            continue
        time = packet.timestamp - monotonic.timestamp
        assert time >= last[event.track_uuid]
        last[event.track_uuid] = time
        stack = open_slices[event.track_uuid]
        if event.type == event.TYPE_SLICE_BEGIN:
            outer = stack[-1].names if stack else ()
            name = interned.name("event_names", event.name_iid)
            args = interned.location(event)
            stack.append(Slice(lane_of(tracks, event.track_uuid), (*outer, name), time, args))
            continue
        ended = stack.pop()
        ended.end = time
        ended.args |= interned.annotations(event)
        if stack:
            stack[-1].children.append(ended)
        yield ended
    assert not any(open_slices.values())


def origin_of(path: pathlib.Path) -> int:
    return int(decode(path).packet[0].clock_snapshot.clocks[0].timestamp)


def since(origin: int, rows: list[tuple[Any, ...]], column: int) -> list[tuple[Any, ...]]:
    """Rows whose times, in that column, are since `origin`; sorted."""
    return sorted((*row[:column], row[column] - origin, *row[column + 1 :]) for row in rows)


# --- The schema ---


def test_our_part_of_the_schema_is_perfettos(consumer: Callable[[str], pathlib.Path], tmp_path: pathlib.Path) -> None:
    compiled = tmp_path / "schema.binpb"
    subprocess.run(
        [consumer("protoc"), f"--proto_path={SCHEMA.parent}", f"--descriptor_set_out={compiled}", SCHEMA], check=True
    )
    (ours,) = FileDescriptorSet.FromString(compiled.read_bytes()).file
    pool = official.DESCRIPTOR.pool

    def compare_enum(prefix: str, enum: Any) -> None:
        theirs = pool.FindEnumTypeByName(f"{prefix}.{enum.name}").values_by_name
        assert {each.name: each.number for each in enum.value}.items() <= {
            name: each.number for name, each in theirs.items()
        }.items()

    def compare(prefix: str, message: Any) -> None:
        theirs = pool.FindMessageTypeByName(f"{prefix}.{message.name}")
        for field in message.field:
            other = theirs.fields_by_name[field.name]
            kind = other.message_type or other.enum_type
            oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None
            assert (field.number, field.type, field.label == field.LABEL_REPEATED) == (
                other.number, other.type, other.is_repeated
            )  # fmt: skip
            assert field.type_name == (f".{kind.full_name}" if kind else "")
            assert oneof == (other.containing_oneof.name if other.containing_oneof else None), field.name
        for nested in message.nested_type:
            compare(theirs.full_name, nested)
        for enum in message.enum_type:
            compare_enum(theirs.full_name, enum)

    for message in ours.message_type:
        compare(ours.package, message)
    for enum in ours.enum_type:
        compare_enum(ours.package, enum)


# --- Perfetto's definitions ---


@pytest.mark.parametrize("name", CASES)
def test_slices_have_the_models_costs(name: str, tmp_path: pathlib.Path) -> None:
    path = fold_to("perfetto", CASES[name](), tmp_path / "out.perfetto-trace")
    assert costs_of(read_packets(path)) == expected_costs(CASES[name]())


@pytest.mark.parametrize("name", CASES)
def test_lines_have_the_models_costs(name: str, tmp_path: pathlib.Path) -> None:
    slices = read_packets(fold_to("perfetto", CASES[name](), tmp_path / "out.perfetto-trace", "line"))
    assert own_times_by_line(slices) == expected_times_by_line(CASES[name]())


@pytest.mark.parametrize("name", ["program", "processes", "random-1"])
def test_threads_have_the_models_costs(name: str, tmp_path: pathlib.Path) -> None:
    path = fold_to("perfetto", CASES[name](), tmp_path / "out.perfetto-trace")
    names = {
        (track.thread.pid, track.thread.tid): track.thread.thread_name
        for track in (packet.track_descriptor for packet in decode(path).packet)
        if track.HasField("thread")
    }
    found: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for each in read_packets(path):
        if len(each.names) > 1:
            continue
        costs = (each.args["samples"], each.end - each.start, each.args["cpu_ns"], each.args["gil_ns"])
        thread = (each.lane[0], names[each.lane])
        found[thread] = [sum(pair) for pair in zip(found[thread], costs, strict=True)]
    assert {thread: tuple(costs) for thread, costs in found.items()} == model_of(CASES[name]()).threads


def test_each_text_of_a_slice_is_in_the_file_once(tmp_path: pathlib.Path) -> None:
    folded = "pkg::fresh@/src/m.py:3:4 1\npkg::other@/src/o.py:3 1\n" * 50
    content = fold_to("perfetto", folded, tmp_path / "out.perfetto-trace").read_bytes()
    assert content.count(b"pkg.fresh") == 1
    assert content.count(b"/src/m.py") == 1
    assert content.count(b"gil_ns") == 1


# --- Perfetto's trace processor ---


@pytest.mark.parametrize("frames", ["function", "line"])
@pytest.mark.parametrize("name", ["program", "processes", "deep"])
def test_perfetto_shows_every_slice_as_it_is(
    name: str, frames: str, ask_perfetto: AskPerfetto, tmp_path: pathlib.Path
) -> None:
    options = ["line"] if frames == "line" else []
    path = fold_to("perfetto", CASES[name](), tmp_path / "out.perfetto-trace", *options)
    errors, slices, threads = ask_perfetto(path, (NO_ERRORS, SLICES, THREADS))
    assert errors == []
    assert since(origin_of(path), slices, 4) == rows_of(read_packets(path))
    named = {line.thread for line in parse(CASES[name]())}
    assert sorted(threads) == sorted((pid, "python prog.py", thread) for pid, thread in named)


def test_perfetto_opens_compressed_files(ask_perfetto: AskPerfetto, tmp_path: pathlib.Path) -> None:
    plain = fold_to("perfetto", CASES["program"](), tmp_path / "out.perfetto-trace")
    path = tmp_path / "out.perfetto-trace.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    errors, slices = ask_perfetto(path, (NO_ERRORS, SLICES))
    assert errors == []
    assert since(origin_of(plain), slices, 4) == rows_of(read_packets(plain))


def test_perfetto_knows_where_functions_are(ask_perfetto: AskPerfetto, tmp_path: pathlib.Path) -> None:
    folded = "main@/src/m.py:3:5;pkg::C.größe@/src/größe.py:9:12 1 10\n"
    path = fold_to("perfetto", folded, tmp_path / "out.perfetto-trace")
    (locations,) = ask_perfetto(path, (LOCATIONS,))
    assert sorted(locations) == [
        ("main", "/src/m.py", "main", 3),
        ("pkg.C.größe", "/src/größe.py", "C.größe", 9),
    ]


def test_perfetto_shows_any_text(ask_perfetto: AskPerfetto, tmp_path: pathlib.Path) -> None:
    folded = 'pkg::a\\;b\\nc\x01 "größe" 😀 \\\\ <i>@/src/\\;\\n.py 1\n'
    path = fold_to("perfetto", folded, tmp_path / "out.perfetto-trace")
    errors, names = ask_perfetto(path, (NO_ERRORS, "select name from slice where category = 'python'"))
    assert errors == []
    assert names == [('pkg.a;b\\nc\\x01 "größe" 😀 \\ <i>',)]


def test_perfetto_opens_an_empty_file(ask_perfetto: AskPerfetto, tmp_path: pathlib.Path) -> None:
    path = fold_to("perfetto", "", tmp_path / "empty.perfetto-trace")
    assert ask_perfetto(path, (NO_ERRORS, "select name from slice")) == [[], [("recording",)]]


def test_perfetto_knows_the_time_of_day(
    gauge: pathlib.Path, build_tool: Callable[[str], pathlib.Path], ask_perfetto: AskPerfetto, tmp_path: pathlib.Path
) -> None:
    recording = tmp_path / "in.gpf"
    gauge_testing.run([build_tool("gauge-generate"), "--samples", "100", "-o", recording])
    assert gauge_testing.run([gauge, "convert", "--to", "perfetto", recording]).returncode == 0
    path = tmp_path / "in.perfetto-trace"
    (clocks,) = ask_perfetto(path, ("select ts, clock_name, cast(clock_value as text) from clock_snapshot",))
    (info,) = json.loads(gauge_testing.run([gauge, "info", "--json", recording]).stdout)
    origin = origin_of(path)
    assert origin > 0
    assert sorted(clocks) == [
        (origin, "MONOTONIC", str(origin)),
        (origin, "REALTIME", str(info["start_unix_ns"])),
    ]


def test_perfetto_shows_each_task_on_a_track_of_its_own_below_its_thread(
    gauge: pathlib.Path, build_tool: Callable[[str], pathlib.Path], ask_perfetto: AskPerfetto, tmp_path: pathlib.Path
) -> None:
    recording = tmp_path / "in.gpf"
    gauge_testing.run([build_tool("gauge-generate"), "--samples", "3000", "--tasks", "4", "-o", recording])
    assert gauge_testing.run([gauge, "convert", "--to", "perfetto", recording]).returncode == 0
    path = tmp_path / "in.perfetto-trace"
    errors, slices, tasks = ask_perfetto(path, (NO_ERRORS, SLICES, TASKS))
    assert errors == []
    assert since(origin_of(path), slices, 4) == rows_of(read_packets(path))
    expected = [each for each in read_packets(path) if not is_of_thread(each.lane)]
    assert len({each.lane for each in expected}) == len({task[0] for task in tasks}) == 4
    assert sorted(row[1:] for row in since(origin_of(path), tasks, 5)) == sorted(
        (task, thread, len(each.names) - 1, each.names[-1], each.start, each.end - each.start, each.args["samples"])
        for each in expected
        for thread, task, _ in [each.lane]
    )
