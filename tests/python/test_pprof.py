"""pprof files as pprof reads them, against an independent model."""

from __future__ import annotations

import pathlib
import re
from collections import Counter
from collections.abc import Callable

import pytest

import gauge_testing
from conftest import missing
from folded_model import CASES, Model, fold_to, model_of, parse, unique_names

WEIGHTS = ("samples", "wall", "cpu", "gil")
NO_FRAMES = "[no Python frames]"
TOOL = gauge_testing.REPOSITORY / "build/pprof/pprof"
Pprof = Callable[..., str]
Rows = dict[str, tuple[int, int]]  # flat and cumulative, by name


@pytest.fixture
def pprof(tmp_path: pathlib.Path) -> Pprof:
    """Run pprof, which must have nothing to complain about; what it prints."""
    if not TOOL.exists():
        missing(str(TOOL), "install golang-go and run tests/consumers/setup.sh")

    def run(*words: str | pathlib.Path) -> str:
        result = gauge_testing.run([TOOL, *words], cwd=tmp_path, env={"PPROF_TMPDIR": str(tmp_path)})
        assert result.stderr.decode() in ("", f"Generating report in {tmp_path}/again.pb.gz\n")
        assert result.returncode == 0
        return result.stdout.decode()

    return run


@pytest.fixture(params=CASES)
def folded(request: pytest.FixtureRequest) -> str:
    return CASES[request.param]()


@pytest.fixture
def path(folded: str, tmp_path: pathlib.Path) -> pathlib.Path:
    return fold_to("pprof", folded, tmp_path / "out.pb.gz")


ALL = ("-nodefraction=0", "-edgefraction=0", "-nodecount=1000000", "-trim=false")


def rows(text: str) -> Rows:
    """The table of -top."""
    found = {}
    for line in text.partition("flat%")[2].splitlines()[1:]:
        match = re.fullmatch(r" *(-?\d+)(?:ns)? +\S+ +\S+ +(-?\d+)(?:ns)? +\S+  (.*)", line)
        assert match, line
        assert match[3] not in found
        found[match[3]] = (int(match[1]), int(match[2]))
    return found


def expected_rows(model: Model, weight: str) -> Rows:
    at = WEIGHTS.index(weight)
    expected = {
        name: (model.own[function][at] if function in model.own else 0, model.inclusive[function][at])
        for function, name in model.names.items()
    }
    idle = sum(costs[at] for costs in model.without_frames.values())
    if model.without_frames:
        expected[NO_FRAMES] = (idle, idle)
    # pprof leaves out what has neither.
    return {name: costs for name, costs in expected.items() if any(costs)}


def test_top_has_the_models_samples(folded: str, path: pathlib.Path, pprof: Pprof) -> None:
    model = model_of(folded)
    assert rows(pprof("-top", *ALL, "-unit=ns", "-sample_index=samples", path)) == expected_rows(model, "samples")


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("name", ["program", "processes"])
def test_top_has_the_models_times(name: str, weight: str, tmp_path: pathlib.Path, pprof: Pprof) -> None:
    path = fold_to("pprof", CASES[name](), tmp_path / "out.pb.gz")
    found = rows(pprof("-top", *ALL, "-unit=ns", f"-sample_index={weight}", path))
    assert found == expected_rows(model_of(CASES[name]()), weight)


def test_wall_time_is_shown_first_unless_another_is_asked_for(tmp_path: pathlib.Path, pprof: Pprof) -> None:
    assert "Type: wall\n" in pprof("-top", fold_to("pprof", "f 3 30 20\n", tmp_path / "a.pb.gz"))
    assert "Type: cpu\n" in pprof("-top", fold_to("pprof", "f 3 30 20\n", tmp_path / "b.pb.gz", "cpu"))


def test_functions_of_one_name_stay_apart_in_every_granularity(path: pathlib.Path, folded: str, pprof: Pprof) -> None:
    model = model_of(folded)
    by_file = rows(pprof("-top", *ALL, "-unit=ns", "-sample_index=samples", "-filefunctions", path))
    assert len(by_file) == len(expected_rows(model, "samples"))


def test_lines_have_their_own_time(tmp_path: pathlib.Path, pprof: Pprof) -> None:
    path = fold_to("pprof", "main@m.py:1:5;f@m.py:9:10 3\nmain@m.py:1:6;f@m.py:9:11 4\n", tmp_path / "out.pb.gz")
    assert rows(pprof("-top", *ALL, "-unit=ns", "-sample_index=samples", "-lines", path)) == {
        "f m.py:11": (4, 4),
        "f m.py:10": (3, 3),
        "main m.py:5": (0, 3),
        "main m.py:6": (0, 4),
    }


def test_columns_are_there_for_who_asks_and_else_split_no_line(tmp_path: pathlib.Path, pprof: Pprof) -> None:
    path = fold_to("pprof", "main@m.py:1:5:9;f@m.py:9:10 3\nmain@m.py:1:5:15;f@m.py:9:10 4\n", tmp_path / "out.pb.gz")
    lines = ("-top", *ALL, "-unit=ns", "-sample_index=samples", "-lines")
    assert rows(pprof(*lines, path)) == {"f m.py:10": (7, 7), "main m.py:5": (0, 7)}
    if "showcolumns" not in gauge_testing.run([TOOL, "-help"]).stderr.decode():
        pytest.skip("this pprof knows no columns")
    assert rows(pprof(*lines, "-showcolumns", path)) == {
        "f m.py:10": (7, 7),
        "main m.py:5:9": (0, 3),
        "main m.py:5:15": (0, 4),
    }


def traces(text: str) -> Counter[tuple[str, str, tuple[str, ...]]]:
    """By pid, thread and stack, innermost first: what -traces prints."""
    found: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    for block in re.split(r"-{5,}\+-{5,}\n", text)[1:]:
        labels = {}
        frames: list[str] = []
        amount = 0
        for line in block.splitlines():
            label = re.fullmatch(r" *(pid|thread|thread_id):  (.*)", line)
            first = re.fullmatch(r" *(\d+)(?:ns)?   (\S.*)", line)
            if label and not frames:
                labels[label[1]] = label[2]
            elif first and not frames:
                amount = int(first[1])
                frames.append(first[2])
            else:
                frames.append(line.strip())
        if frames:
            found[labels["pid"], labels["thread"], tuple(frames)] += amount
    return found


@pytest.mark.parametrize("name", ["program", "processes"])
def test_traces_are_the_models_stacks_of_each_thread(name: str, tmp_path: pathlib.Path, pprof: Pprof) -> None:
    folded = CASES[name]()
    lines = parse(folded)
    names = unique_names({function for line in lines for function, _ in line.frames})
    shared = Counter(thread for _, thread in {line.thread for line in lines})
    numbers = {thread: number for number, thread in enumerate(dict.fromkeys(line.thread for line in lines))}
    expected: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    for line in lines:
        pid, thread = line.thread
        label = thread if shared[thread] == 1 else f"{thread} {pid + numbers[line.thread]}"
        stack = tuple(names[function] for function, _ in reversed(line.frames)) or (NO_FRAMES,)
        expected[str(pid), label, stack] += line.costs[1]
    text = pprof("-traces", "-unit=ns", "-sample_index=wall", fold_to("pprof", folded, tmp_path / "out.pb.gz"))
    assert traces(text) == expected


def test_tags_add_up_each_thread_and_process(tmp_path: pathlib.Path, pprof: Pprof) -> None:
    path = fold_to("pprof", "[7/Main] f 3\n[7/Pool] f 2\n[8/Other] g 1\n", tmp_path / "out.pb.gz")
    # Older ones print a decimal.
    text = pprof("-tags", "-unit=ns", "-sample_index=samples", path)
    found = set(re.findall(r"^ +(\d+)(?:\.0)?(?:ns)? \( *[\d.]+%\): (.*)$", text, re.MULTILINE))
    assert found == {
        ("5", "7"), ("1", "8"),  # pids
        ("3", "Main"), ("2", "Pool"), ("1", "Other"),
        ("3", "7"), ("2", "8"), ("1", "10"),  # the kernel's ids
    }  # fmt: skip


def test_a_round_trip_keeps_everything(path: pathlib.Path, tmp_path: pathlib.Path, pprof: Pprof) -> None:
    pprof("-proto", "-output", tmp_path / "again.pb.gz", path)
    assert pprof("-raw", tmp_path / "again.pb.gz").count("\n") == pprof("-raw", path).count("\n")
    top = ("-top", *ALL, "-unit=ns", "-sample_index=wall")
    assert pprof(*top, tmp_path / "again.pb.gz") == pprof(*top, path)


def test_nothing_differs_from_itself(path: pathlib.Path, pprof: Pprof) -> None:
    text = pprof("-top", *ALL, "-unit=ns", "-sample_index=wall", f"-diff_base={path}", path)
    assert set(rows(text).values()) <= {(0, 0)}


def test_an_empty_profile_opens(tmp_path: pathlib.Path, pprof: Pprof) -> None:
    assert "Type: wall\n" in pprof("-top", fold_to("pprof", "", tmp_path / "empty.pb.gz"))


def test_convert_writes_one_gzip_member_to_files_and_pipes(
    gauge: pathlib.Path, build_tool: Callable[[str], pathlib.Path], tmp_path: pathlib.Path, pprof: Pprof
) -> None:
    recording = tmp_path / "in.gpf"
    gauge_testing.run([build_tool("gauge-generate"), "--samples", "500", "-o", recording])
    assert gauge_testing.run([gauge, "convert", "--to", "pprof", recording]).returncode == 0
    piped = gauge_testing.run([gauge, "convert", "--to", "pprof", "-o", "-", recording]).stdout
    assert piped == (tmp_path / "in.pb.gz").read_bytes()
    flat = rows(pprof("-top", *ALL, "-unit=ns", "-sample_index=samples", tmp_path / "in.pb.gz"))
    assert sum(own for own, _ in flat.values()) == 500
