"""Our OTLP profiles, decoded by the definitions that OpenTelemetry publishes on PyPI, against the model.

What the schema does not state is checked here, too: entry 0 of each table, no entry twice or unused, one shape for all
samples, names of attributes once. OpenTelemetry has a checker of its own, which is no package.
"""

from __future__ import annotations

import pathlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.profiles.v1development.profiles_pb2 import Profile, ProfilesData, Sample

from folded_model import CASES, Costs, fold_to, parse, unique_names

WEIGHTS = ("samples", "wall", "cpu", "gil")
TABLES = ("mapping", "location", "function", "link", "string", "attribute", "stack")


@pytest.fixture(params=["program", "processes", "deep", "random-1", "random-2"])
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def data(case: str, tmp_path: pathlib.Path) -> ProfilesData:
    path = fold_to("otlp-profiles", CASES[case](), tmp_path / "profiles.otlp.binpb")
    return ProfilesData.FromString(path.read_bytes())


def table(data: ProfilesData, name: str) -> Any:
    return getattr(data.dictionary, f"{name}_table")


def profiles(data: ProfilesData) -> Iterator[tuple[int, str, Profile]]:
    """Each with its pid and the name of its weight."""
    for resource in data.resource_profiles:
        (pid,) = [each.value.int_value for each in resource.resource.attributes if each.key == "process.pid"]
        for scope in resource.scope_profiles:
            for profile in scope.profiles:
                yield pid, table(data, "string")[profile.sample_type.type_strindex], profile


def attributes(data: ProfilesData, indices: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index in indices:
        entry = table(data, "attribute")[index]
        key = table(data, "string")[entry.key_strindex]
        assert key not in found
        found[key] = getattr(entry.value, entry.value.WhichOneof("value"))
    return found


def stack_of(data: ProfilesData, sample: Sample) -> tuple[tuple[str, int], ...]:
    frames = []
    for index in reversed(table(data, "stack")[sample.stack_index].location_indices):
        (line,) = table(data, "location")[index].lines
        frames.append((table(data, "string")[table(data, "function")[line.function_index].name_strindex], line.line))
    return tuple(frames)


def test_stacks_weigh_what_was_sampled(case: str, data: ProfilesData) -> None:
    found: Counter[Any] = Counter()
    for pid, weight, profile in profiles(data):
        for sample in profile.samples:
            (value,) = sample.values
            found[pid, attributes(data, sample.attribute_indices)["thread.name"], stack_of(data, sample), weight] += (
                value
            )
    folded = parse(CASES[case]())
    names = unique_names({function for line in folded for function, _ in line.frames})
    several = Counter(name for _, name in {line.thread for line in folded})
    expected: Counter[Any] = Counter()
    for line in folded:
        pid, name = line.thread
        stack = tuple((names[function], number) for function, number in line.frames) or (("[no Python frames]", 0),)
        label = name if several[name] == 1 else None
        count(expected, (pid, label, stack), line.costs)
    shared = {name for name, number in several.items() if number > 1}
    assert merge(found, shared) == +expected


def count(sums: Counter[Any], key: tuple[Any, ...], costs: Costs) -> None:
    for weight, cost in zip(WEIGHTS, costs, strict=True):
        sums[(*key, weight)] += cost


def merge(found: Counter[Any], shared: set[str]) -> Counter[Any]:
    """With the names that several threads have, and that ours tell apart by number, left out."""
    merged: Counter[Any] = Counter()
    for (pid, name, stack, weight), value in found.items():
        is_shared = any(name.startswith(f"{each} ") for each in shared)
        merged[pid, None if is_shared else name, stack, weight] += value
    return merged


def test_entry_0_of_every_table_is_empty_and_none_is_there_twice(data: ProfilesData) -> None:
    for name in TABLES:
        entries = [each if isinstance(each, str) else each.SerializeToString() for each in table(data, name)]
        assert not entries[0]
        assert len(set(entries)) == len(entries), name


def test_no_entry_is_unused(data: ProfilesData) -> None:
    used: dict[str, set[int]] = {name: {0} for name in TABLES}
    for _, _, profile in profiles(data):
        for kind in (profile.sample_type, profile.period_type):
            used["string"] |= {kind.type_strindex, kind.unit_strindex}
        for sample in profile.samples:
            used["stack"].add(sample.stack_index)
            used["attribute"] |= set(sample.attribute_indices)
    for stack in table(data, "stack"):
        used["location"] |= set(stack.location_indices)
    for location in table(data, "location"):
        used["attribute"] |= set(location.attribute_indices)
        used["function"] |= {line.function_index for line in location.lines}
    for function in table(data, "function"):
        used["string"] |= {function.name_strindex, function.system_name_strindex, function.filename_strindex}
    for attribute in table(data, "attribute"):
        used["string"].add(attribute.key_strindex)
    for name in TABLES:
        assert used[name] == set(range(len(table(data, name)))), name


def test_samples_have_one_shape_and_are_there_once(data: ProfilesData) -> None:
    for _, _, profile in profiles(data):
        assert all(len(sample.values) == 1 and not sample.timestamps_unix_nano for sample in profile.samples)
        identities = [(sample.stack_index, tuple(sample.attribute_indices)) for sample in profile.samples]
        assert len(set(identities)) == len(identities)


def test_there_is_no_field_that_the_definitions_do_not_know(data: ProfilesData) -> None:
    before = data.ByteSize()
    data.DiscardUnknownFields()
    assert data.ByteSize() == before
