"""Who may include whom (docs/architecture.md, "Layers"): dependencies point one way."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tree import includes, is_cxx, violations

FOLDERS = ("formats/", "recorder/", "cli/", "tests/", "schemas/")
BASE = ("formats/base/",)
RECORDS = ("formats/gpf/framing.h", "formats/gpf/records.h")
READER = (*BASE, *RECORDS, "formats/gpf/parts.h", "formats/gpf/reader.h")
WRITER = (*BASE, *RECORDS, "formats/gpf/writer.h")
CPYTHON = tuple(f"recorder/cpython/{name}.h" for name in ("fork_warning", "line_table", "process_source"))

# Folder -> prefixes of our own headers that its files may include, besides those of the folder itself. The longest
# folder that fits a file decides.
LAYERS = {
    "formats/base/": (),
    "formats/gpf/": BASE,
    "formats/profile/": READER,
    "formats/spans/": (*BASE, "formats/gpf/records.h", "formats/profile/"),  # the status bits of samples
    "formats/": (*BASE, "formats/profile/", "formats/spans/"),
    "recorder/cpython/": (*BASE, "formats/gpf/records.h", "recorder/descriptor_table.h", "recorder/stack_source.h"),
    "recorder/": (*WRITER, *CPYTHON),
    "cli/": (
        *READER,
        "formats/gpf/repair.h",
        "formats/gpf/unite.h",
        "formats/profile/",
        "formats/spans/",
        "formats/format.h",
    ),
}

# Foreign header -> the only places that may include it.
RESERVED = {
    "Python.h": ("recorder/cpython/", "recorder/bindings.cc", "tests/recorder/cpython/"),
    "internal/pycore_": ("recorder/cpython/", "tests/recorder/cpython/"),
    "pybind11/": ("recorder/bindings.cc",),
    # Two protobuf runtimes in one interpreter crash it, so nothing that the recorder links may use one.
    "google/protobuf/": ("formats/", "cli/", "tests/"),
    "nlohmann/": ("tests/",),
    "rapidjson/": ("formats/base/",),
    "CLI/": ("cli/", "tests/"),
    "curl/": ("cli/", "formats/spans/", "tests/"),
}


def layer_of(path: str) -> str | None:
    return max((folder for folder in LAYERS if path.startswith(folder)), key=len, default=None)


def wrong_includes(path: str, text: str) -> Iterable[str]:
    """Includes that point up, or at what another folder keeps to itself."""
    if not is_cxx(path):
        return
    layer = layer_of(path)
    for number, name in includes(text):
        if layer is not None and name.startswith(FOLDERS):
            own = layer_of(name) == layer
            if not own and not name.startswith(LAYERS[layer]):
                yield f"line {number}: {layer} may not include {name}"
        for header, places in RESERVED.items():
            if name.startswith(header) and not path.startswith(places):
                yield f"line {number}: {name} may be included by {', '.join(places)} only"


def protobuf_below_the_recorder(path: str, text: str) -> Iterable[str]:
    """Generated messages where the recorder, which links these folders, would get a protobuf runtime."""
    if is_cxx(path) and path.startswith(("recorder/", "formats/base/", "formats/gpf/")):
        for number, name in includes(text):
            if name.endswith(".pb.h") or name.startswith("google/protobuf/"):
                yield f"line {number}: {name} brings a protobuf runtime into the recorder"


def test_includes_point_down_the_layers_only() -> None:
    assert violations(wrong_includes) == []


def test_the_recorder_sees_no_protobuf_runtime() -> None:
    assert violations(protobuf_below_the_recorder) == []


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("formats/callgrind.cc", "formats/gpf/reader.h"),
        ("formats/base/sink.cc", "formats/gpf/records.h"),
        ("formats/gpf/reader.cc", "formats/profile/profile.h"),
        ("formats/profile/call_graph.cc", "formats/gpf/writer.h"),
        ("formats/spans/infer.cc", "formats/gpf/reader.h"),
        ("recorder/recorder.cc", "formats/profile/profile.h"),
        ("recorder/recorder.cc", "formats/gpf/reader.h"),
        ("recorder/recorder.cc", "Python.h"),
        ("recorder/cpython/stack_walker.cc", "recorder/sampler.h"),
        ("recorder/sampler.cc", "internal/pycore_frame.h"),
        ("recorder/recorder.cc", "pybind11/pybind11.h"),
        ("recorder/recorder.cc", "google/protobuf/message_lite.h"),
        ("cli/main.cc", "Python.h"),
        ("cli/main.cc", "recorder/recorder.h"),
        ("formats/format.cc", "CLI/CLI.hpp"),
    ],
)
def test_an_include_across_layers_is_found(path: str, header: str) -> None:
    assert list(wrong_includes(path, f'// comment\n#include "{header}"\n'))


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("formats/callgrind.cc", "formats/profile/call_graph.h"),
        ("formats/callgrind.cc", "formats/format.h"),
        ("formats/profile/profile_builder.cc", "formats/gpf/reader.h"),
        ("recorder/stream_thread.cc", "formats/gpf/writer.h"),
        ("recorder/recorder.cc", "recorder/sampler.h"),
        ("recorder/bindings.cc", "Python.h"),
        ("recorder/cpython/layout_3_11.cc", "internal/pycore_frame.h"),
        ("cli/info.cc", "formats/gpf/reader.h"),
    ],
)
def test_an_include_down_the_layers_is_not(path: str, header: str) -> None:
    assert list(wrong_includes(path, f"#include <{header}>\n")) == []
