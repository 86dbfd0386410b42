"""Our OTLP files, sent to a real OpenTelemetry Collector: it must hand on what it was given and complain of nothing.

It receives OTLP over HTTP and exports the same. Between the two it keeps what it has understood and no more, so that
what comes out equals what went in only if all of it was understood.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import pathlib
import re
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
    ExportProfilesServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

import gauge_testing
from conftest import missing
from folded_model import CASES, fold_to
from test_otlp_profiles import attributes, profiles, stack_of
from test_otlp_spans import EXAMPLE, spans_of, with_base64_ids

TOOL = gauge_testing.REPOSITORY / "build/collector/collector"
GATE = "--feature-gates=service.profilesSupport"
PROFILES = "/v1development/profiles"
SPANS = "/v1/traces"
TYPES = {PROFILES: "application/x-protobuf", SPANS: "application/json"}


class Answer(NamedTuple):
    status: int
    body: bytes


class Backend(http.server.ThreadingHTTPServer):
    """What a Collector hands on to. Keeps the paths and bodies of all requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), BackendHandler)
        self.received: list[tuple[str, bytes]] = []


class BackendHandler(http.server.BaseHTTPRequestHandler):
    server: Backend
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Do without lines between those of the tests."""


class Collector:
    """A Collector that runs, with the backend behind it."""

    def __init__(self, process: subprocess.Popen[str], backend: Backend) -> None:
        self._process = process
        self._backend = backend
        self._log: list[str] = []
        self._is_ready = threading.Event()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        assert self._is_ready.wait(timeout=60)
        addresses = re.findall(r'"Starting HTTP server".*?"endpoint":"(.*?)"', "".join(self._log))
        assert len(addresses) == 1, self._log
        self._address = addresses[0]

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line)
            if "Everything is ready" in line:
                self._is_ready.set()
        self._is_ready.set()  # or never will be: it has ended

    def send(self, path: str, body: bytes, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            connection.request("POST", path, body, {"Content-Type": TYPES[path], **named})
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def pass_on(self, path: str, body: bytes, **headers: str) -> bytes:
        """Send what it must accept; the body of the request that it makes of it."""
        answer = self.send(path, body, **headers)
        assert answer.status == 200, answer
        assert not self.rejected(path, answer)
        ((to, handed_on),) = self.handed_on()
        assert to == path
        return handed_on

    @staticmethod
    def rejected(path: str, answer: Answer) -> bool:
        """Whether it says that it has left out a part."""
        if path == PROFILES:
            of_profiles = ExportProfilesServiceResponse.FromString(answer.body).partial_success
            return bool(of_profiles.rejected_profiles or of_profiles.error_message)
        of_spans = json_format.Parse(answer.body, ExportTraceServiceResponse()).partial_success
        return bool(of_spans.rejected_spans or of_spans.error_message)

    def handed_on(self) -> list[tuple[str, bytes]]:
        """What has come to the backend since this was asked before."""
        received = self._backend.received[:]
        self._backend.received.clear()
        return received

    def stop(self) -> list[str]:
        """End it; what it had to complain of."""
        self._process.terminate()
        status = self._process.wait(timeout=60)
        self._reader.join(timeout=60)
        assert status in (0, -signal.SIGTERM), self._log  # which it awaits shortly after it is ready
        return [line for line in self._log if not line.startswith('{"level":"info"')]


def skip_without_tool() -> None:
    go = shutil.which("go")
    version = gauge_testing.run([go, "env", "GOVERSION"]).stdout.decode().strip() if go else ""
    if re.fullmatch(r"go1\.(1\d|20)\b.*", version):  # Debian 12's
        pytest.skip(f"{TOOL} is missing: {version} neither builds it nor fetches a Go that does")
    missing(str(TOOL), "install Go, 1.26 or one from 1.21 on that fetches it, and run tests/consumers/setup.sh")


# Of the exporter: to send on what comes at once, or all that has come when it stops.
AT_ONCE = {"enabled": False}
AT_THE_END = {"enabled": True, "batch": {"sizer": "items", "min_size": 1_000_000, "flush_timeout": "1h"}}


def command(port: int, signals: Iterable[str], *flags: str, queue: object = AT_ONCE) -> list[str | pathlib.Path]:
    """A Collector that listens on a port that is free and hands on to another, with one try."""
    if not TOOL.exists():
        skip_without_tool()
    pipeline = {"receivers": ["otlp"], "exporters": ["otlp_http"]}
    exporter = {
        "endpoint": f"http://127.0.0.1:{port}",
        "compression": "none",
        "sending_queue": queue,
        "retry_on_failure": {"enabled": False},
    }
    configuration = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:0"}}}},
        "exporters": {"otlp_http": exporter},
        "service": {
            "pipelines": dict.fromkeys(signals, pipeline),
            "telemetry": {"logs": {"encoding": "json"}, "metrics": {"level": "none"}},
        },
    }
    return [TOOL, f"--config=yaml:{json.dumps(configuration)}", *flags]  # JSON is YAML, too


@contextlib.contextmanager
def running(*signals: str, queue: object = AT_ONCE) -> Iterator[Collector]:
    """A Collector with a pipeline for each signal, which has nothing to complain of until the end."""
    with Backend() as backend:
        threading.Thread(target=backend.serve_forever, args=(0.01,), daemon=True).start()
        words = command(backend.server_port, signals, GATE, queue=queue)
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
            try:
                collector = Collector(process, backend)
                yield collector
                assert collector.stop() == []
            finally:
                process.kill()
                backend.shutdown()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running("profiles", "traces") as collector:
        yield collector


# What the Collector changes, and may: the tests undo it.


def leave_out_empty(message: Any, field: str) -> None:
    """Messages that it was not given it writes as empty ones."""
    if not getattr(message, field).ByteSize():
        message.ClearField(field)


def put_texts_back(message: ExportProfilesServiceRequest, own: int) -> None:
    """Texts of resources and scopes it has in the dictionary, too, behind as many of our `own`."""
    texts = list(message.dictionary.string_table)
    del message.dictionary.string_table[own:]

    def put_back(value: AnyValue) -> None:
        if value.WhichOneof("value") == "string_value_strindex":
            value.string_value = texts[value.string_value_strindex]
        for item in value.array_value.values:
            put_back(item)

    for resource in message.resource_profiles:
        for holder in (resource.resource, *(each.scope for each in resource.scope_profiles)):
            for attribute in holder.attributes:
                attribute.key, attribute.key_strindex = texts[attribute.key_strindex], 0
                put_back(attribute.value)


@pytest.mark.parametrize("name", ["program", "processes", "deep", "random-1", "random-2"])
def test_profiles_come_out_as_they_went_in(name: str, collector: Collector, tmp_path: pathlib.Path) -> None:
    sent = fold_to("otlp-profiles", CASES[name](), tmp_path / "profiles").read_bytes()
    expected = ExportProfilesServiceRequest.FromString(sent)
    found = ExportProfilesServiceRequest.FromString(collector.pass_on(PROFILES, sent))
    put_texts_back(found, own=len(expected.dictionary.string_table))
    leave_out_empty(found.dictionary.attribute_table[0], "value")
    assert found == expected


def sums_by_weight(message: ExportProfilesServiceRequest) -> dict[int, dict[str, int]]:
    """By process, the sum of each of its profiles."""
    sums = {}
    for resource in message.resource_profiles:
        (pid,) = [each.value.int_value for each in resource.resource.attributes if each.key == "process.pid"]
        sums[pid] = {
            message.dictionary.string_table[profile.sample_type.type_strindex]: sum(
                value for sample in profile.samples for value in sample.values
            )
            for scope in resource.scope_profiles
            for profile in scope.profiles
        }
    return sums


def test_each_weight_is_a_profile_and_all_share_a_dictionary(collector: Collector, tmp_path: pathlib.Path) -> None:
    sent = fold_to("otlp-profiles", CASES["processes"](), tmp_path / "profiles").read_bytes()
    found = ExportProfilesServiceRequest.FromString(collector.pass_on(PROFILES, sent))
    put_texts_back(found, own=len(found.dictionary.string_table))
    assert sums_by_weight(found) == {  # added up by hand from tests/golden/processes.folded
        100: {"samples": 6, "wall": 6_000_000, "cpu": 5_000_000, "gil": 2_000_000},
        101: {"samples": 4, "wall": 4_000_000, "cpu": 3_500_000},
        102: {"samples": 7, "wall": 7_000_000, "cpu": 6_999_999},
    }


def weights_of(message: ExportProfilesServiceRequest) -> Counter[Any]:
    """The sum of each stack in each thread by each weight."""
    found: Counter[Any] = Counter()
    for pid, weight, profile in profiles(message):
        for sample in profile.samples:
            thread = attributes(message, sample.attribute_indices)
            found[pid, thread["thread.name"], stack_of(message, sample), weight] += sample.values[0]
    return found


def test_profiles_weigh_the_same_when_the_collector_has_made_one_dictionary_of_several(tmp_path: pathlib.Path) -> None:
    expected: Counter[Any] = Counter()
    with running("profiles", queue=AT_THE_END) as collector:
        for name in ("program", "processes", "random-1", "deep"):
            sent = fold_to("otlp-profiles", CASES[name](), tmp_path / name).read_bytes()
            expected += weights_of(ExportProfilesServiceRequest.FromString(sent))
            assert collector.send(PROFILES, sent).status == 200
        assert collector.stop() == []
        ((_, merged),) = collector.handed_on()
    found = ExportProfilesServiceRequest.FromString(merged)
    put_texts_back(found, own=len(found.dictionary.string_table))
    assert weights_of(found) == expected


@pytest.mark.parametrize("name", ["example", "program", "processes"])
def test_spans_come_out_as_they_went_in(name: str, collector: Collector, tmp_path: pathlib.Path) -> None:
    folded = EXAMPLE if name == "example" else CASES[name]()
    sent = fold_to("otlp-spans", folded, tmp_path / "spans").read_bytes()
    expected = json_format.Parse(json.dumps(with_base64_ids(json.loads(sent))), ExportTraceServiceRequest())
    found = ExportTraceServiceRequest.FromString(collector.pass_on(SPANS, sent))
    for span in spans_of(found):
        leave_out_empty(span, "status")
    assert found == expected
    assert list(spans_of(found))


@pytest.mark.parametrize(("path", "name"), [(PROFILES, "otlp-profiles"), (SPANS, "otlp-spans")])
def test_what_convert_writes_is_taken_plain_and_compressed(
    path: str,
    name: str,
    collector: Collector,
    gauge: pathlib.Path,
    build_tool: Callable[[str], pathlib.Path],
    tmp_path: pathlib.Path,
) -> None:
    recording = tmp_path / "in.gpf"
    gauge_testing.run([build_tool("gauge-generate"), "--samples", "500", "-o", recording])
    for output in ("plain", "compressed.gz"):
        assert gauge_testing.run([gauge, "convert", "--to", name, "-o", tmp_path / output, recording]).returncode == 0
    plain = collector.pass_on(path, (tmp_path / "plain").read_bytes())
    compressed = collector.pass_on(path, (tmp_path / "compressed.gz").read_bytes(), Content_Encoding="gzip")
    assert compressed == plain
    if path == PROFILES:
        found = ExportProfilesServiceRequest.FromString(plain)
        put_texts_back(found, own=len(found.dictionary.string_table))
        assert sum(sums["samples"] for sums in sums_by_weight(found).values()) == 500


@pytest.mark.parametrize(("path", "name"), [(PROFILES, "otlp-profiles"), (SPANS, "otlp-spans")])
def test_a_recording_without_samples_is_taken(
    path: str, name: str, collector: Collector, tmp_path: pathlib.Path
) -> None:
    answer = collector.send(path, fold_to(name, "", tmp_path / "empty").read_bytes())
    assert answer.status == 200
    assert not collector.rejected(path, answer)


@pytest.mark.parametrize(("path", "name"), [(PROFILES, "otlp-profiles"), (SPANS, "otlp-spans")])
def test_a_file_that_is_cut_is_refused(path: str, name: str, collector: Collector, tmp_path: pathlib.Path) -> None:
    sent = fold_to(name, CASES["program"](), tmp_path / "whole").read_bytes()
    assert collector.send(path, sent[:-1]).status == 400
    assert collector.handed_on() == []


def test_profiles_are_version_1_of_the_development(collector: Collector, tmp_path: pathlib.Path) -> None:
    sent = fold_to("otlp-profiles", CASES["program"](), tmp_path / "profiles").read_bytes()
    assert collector.pass_on(PROFILES, sent, OTLP_Profiles_Development_Version="1")
    assert collector.send(PROFILES, sent, OTLP_Profiles_Development_Version="2").status == 400


def test_profiles_need_the_feature_gate_and_a_pipeline() -> None:
    result = gauge_testing.run(command(1, ["profiles"]))
    assert result.returncode == 1
    assert b'gated under the "service.profilesSupport" feature gate' in result.stderr
    with running("traces") as collector:
        assert collector.send(PROFILES, b"").status == 404
