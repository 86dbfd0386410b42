"""Our OTLP files, decoded by OpenTelemetry's own message definitions."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

import gauge_testing

GOLDEN = gauge_testing.REPOSITORY / "tests/golden"
START = 1_700_000_000_000_000_000  # when the recordings of folded text began, in Unix nanoseconds
MS = 1_000_000

# Ticks every 10 ms: load at 10, 20, 30; parse at 40, 50; then nothing for half a second; main alone at 560, 570.
EXAMPLE = """\
app::main@/src/app.py:3:5;app::load@/src/app.py:10:12 3 30000000
app::main@/src/app.py:3:6;app::Parser.parse@/src/parser.py:20:25 2 20000000
~ 500000000
app::main@/src/app.py:3:7 2 20000000
"""


def with_base64_ids(value: Any) -> Any:
    """OTLP's JSON has ids in hexadecimal, where Protobuf's own has base64: the one difference for its decoder."""
    if isinstance(value, list):
        return [with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for key, item in value.items():
        if key in ("traceId", "spanId", "parentSpanId"):
            assert item == item.lower()
            result[key] = base64.b64encode(bytes.fromhex(item)).decode()
        else:
            result[key] = with_base64_ids(item)
    return result


@pytest.fixture
def decode(build_tool: Callable[[str], pathlib.Path]) -> Callable[[str], TracesData]:
    """Folded text through our writer and OpenTelemetry's definitions, which refuse a field they do not know."""

    def decode_folded(folded: str) -> TracesData:
        command = [build_tool("gauge-fold-to"), "otlp-spans"]
        written = subprocess.run(command, input=folded.encode(), stdout=subprocess.PIPE, check=True, timeout=60).stdout
        return json_format.Parse(json.dumps(with_base64_ids(json.loads(written))), TracesData())

    return decode_folded


def spans_of(data: TracesData) -> Iterator[Span]:
    for resource in data.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def attributes(holder: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    for attribute in holder.attributes:
        assert attribute.key not in found
        kind = attribute.value.WhichOneof("value")
        value = getattr(attribute.value, kind)
        found[attribute.key] = [item.string_value for item in value.values] if kind == "array_value" else value
    return found


def test_spans_are_those_worked_out_by_hand(decode: Callable[[str], TracesData]) -> None:
    found = [
        (span.name, (span.start_time_unix_nano - START) / MS, (span.end_time_unix_nano - START) / MS)
        for span in spans_of(decode(EXAMPLE))
    ]
    assert found == [
        ("app.load", 5, 35),
        ("app.Parser.parse", 35, 55),
        ("app.main", 5, 55),
        ("app.main", 555, 575),
    ]


def test_children_name_their_parent_and_roots_have_traces_of_their_own(decode: Callable[[str], TracesData]) -> None:
    load, parse, main, main_again = spans_of(decode(EXAMPLE))
    assert load.parent_span_id == parse.parent_span_id == main.span_id
    assert load.trace_id == parse.trace_id == main.trace_id
    assert main.parent_span_id == main_again.parent_span_id == b""
    assert main_again.trace_id != main.trace_id


def test_a_span_carries_code_thread_and_evidence(decode: Callable[[str], TracesData]) -> None:
    _, parse, main, _ = spans_of(decode(EXAMPLE))
    assert parse.kind == Span.SPAN_KIND_INTERNAL
    assert attributes(parse) == {
        "code.function.name": "app.Parser.parse",
        "code.file.path": "/src/parser.py",
        "code.line.number": 20,
        "thread.id": 1,
        "thread.name": "MainThread",
        "is_inferred": True,
        "gauge.samples": 2,
        "gauge.uncertainty_ns": 5 * MS,
        "gauge.end_unseen": True,
    }
    assert attributes(main)["gauge.samples"] == 5


def test_the_resource_says_what_ran_where(decode: Callable[[str], TracesData]) -> None:
    (resource,) = decode(EXAMPLE).resource_spans
    found = attributes(resource.resource)
    assert found["service.name"] == "prog"
    assert found["host.name"] == "host"
    assert found["process.pid"] == 1
    assert found["process.command_args"] == ["python", "prog.py"]
    assert found["process.runtime.name"] == "cpython"
    assert found["telemetry.sdk.language"] == "python"
    assert [scope.scope.name for scope in resource.scope_spans] == ["gauge"]


@pytest.mark.parametrize("name", ["program", "processes"])
def test_spans_nest_and_ids_are_whole(name: str, decode: Callable[[str], TracesData]) -> None:
    data = decode((GOLDEN / f"{name}.folded").read_text())
    spans = list(spans_of(data))
    by_id = {span.span_id: span for span in spans}
    assert spans
    assert len(by_id) == len(spans)
    for span in spans:
        assert (len(span.trace_id), len(span.span_id)) == (16, 8)
        assert any(span.trace_id)
        assert any(span.span_id)
        assert span.start_time_unix_nano < span.end_time_unix_nano
        if not span.parent_span_id:
            continue
        parent = by_id[span.parent_span_id]
        assert parent.trace_id == span.trace_id
        assert parent.start_time_unix_nano <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_every_process_is_a_resource_and_no_id_is_shared(decode: Callable[[str], TracesData]) -> None:
    data = decode((GOLDEN / "processes.folded").read_text())
    assert [attributes(each.resource)["process.pid"] for each in data.resource_spans] == [100, 101, 102]
    traces = [{span.trace_id for scope in each.scope_spans for span in scope.spans} for each in data.resource_spans]
    assert len(set().union(*traces)) == sum(len(each) for each in traces)


def test_a_recording_without_samples_is_an_empty_message(decode: Callable[[str], TracesData]) -> None:
    assert decode("") == TracesData()
