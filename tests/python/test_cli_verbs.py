"""`gauge convert`, `info` and `report` on recordings with known content."""

from __future__ import annotations

import json
import os
import pathlib
import pstats
import re
import resource
from collections.abc import Callable
from typing import Any

import pytest

from gauge_testing import run, run_on_terminal

BuildTool = Callable[[str], pathlib.Path]
Generate = Callable[..., pathlib.Path]

INFO_KEYS = [
    "tasks",
    "task_samples",
    "path",
    "run_id",
    "pid",
    "ppid",
    "host",
    "boot_id",
    "command",
    "cwd",
    "python",
    "gauge_version",
    "reader",
    "interval_ns",
    "rate_asked",
    "rate_achieved",
    "max_overhead",
    "start_unix_ns",
    "part",
    "first_start_unix_ns",
    "duration_ns",
    "first_sample_monotonic_ns",
    "last_sample_monotonic_ns",
    "samples",
    "threads",
    "processes",
    "missed_ticks",
    "partial_stacks",
    "truncated_stacks",
    "failed_reads",
    "dropped_samples",
    "sampler_cpu_ns",
    "writer_cpu_ns",
    "bytes",
    "truncated",
    "damaged_blocks",
    "end_reason",
    "recordings",
]


@pytest.fixture
def generate(build_tool: BuildTool, tmp_path: pathlib.Path) -> Generate:
    def make(name: str = "in.gpf", *, samples: int = 2000, threads: int = 3, seed: int = 1) -> pathlib.Path:
        options = {"--samples": samples, "--threads": threads, "--seed": seed}
        words = [str(word) for pair in options.items() for word in pair]
        run([build_tool("gauge-generate"), *words, "-o", tmp_path / name])
        return tmp_path / name

    return make


def cut(path: pathlib.Path) -> pathlib.Path:
    """The recording as a killed program leaves it."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    return path


def test_version_is_one_line(gauge: pathlib.Path) -> None:
    for executable, words in (
        (gauge, ["--version"]),
        (gauge, ["-V"]),
        (gauge.with_name("gauge-convert"), ["--version"]),
    ):
        outcome = run([executable, *words])
        assert outcome.returncode == 0
        assert outcome.stdout.startswith(b"gauge ")
        assert outcome.stdout.count(b"\n") == 1


VERBS = ["", "record", "convert", "info", "report", "view", "merge", "check", "doctor"]


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_a_page_and_shows_examples(gauge: pathlib.Path, verb: str) -> None:
    outcome = run([gauge, *verb.split(), "--help"])
    assert (outcome.returncode, outcome.stderr) == (0, b"")
    lines = outcome.stdout.decode().splitlines()
    assert len(lines) <= 64
    assert max(map(len, lines)) <= 110
    assert "Examples:" in lines


def test_starts_in_no_time(gauge: pathlib.Path) -> None:
    times = []
    for _ in range(10):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run([gauge, "--version"])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.1  # seconds of CPU time, which others on the machine do not lengthen; it takes some 5 ms


def test_convert_help_lists_every_format(gauge: pathlib.Path) -> None:
    text = run([gauge, "convert", "--help"]).stdout.decode()
    known = run([gauge, "convert", "--to", "zzz", "x"]).stderr.decode().partition("known are ")[2]
    assert known.strip()
    for name in known.strip().split(", "):
        assert f"\n  {name} " in text


def test_convert_names_the_output_after_the_recording(gauge: pathlib.Path, generate: Generate) -> None:
    recording = generate("größe 1.gpf")
    outcome = run([gauge, "convert", "--to", "pstats", recording])
    assert outcome.returncode == 0
    assert outcome.stdout == b""
    assert pstats.Stats(str(recording.with_suffix(".pstats"))).total_calls > 0  # type: ignore[attr-defined]


def test_convert_guesses_the_format_from_the_output(
    gauge: pathlib.Path, generate: Generate, tmp_path: pathlib.Path
) -> None:
    recording = generate()
    assert run([gauge, "convert", "-o", tmp_path / "x.callgrind", recording]).returncode == 0
    assert (
        run([gauge.with_name("gauge-convert"), "--to", "callgrind", "-o", "-", recording]).stdout
        == (tmp_path / "x.callgrind").read_bytes()
    )


def test_convert_takes_several_recordings(gauge: pathlib.Path, generate: Generate, tmp_path: pathlib.Path) -> None:
    files = [generate(f"{seed}.gpf", seed=seed) for seed in (1, 2)]
    outcome = run([gauge, "convert", "--to", "pstats", "-o", tmp_path / "both.pstats", *files])
    assert outcome.returncode == 0
    assert b"4 000 samples" in outcome.stderr


def test_a_cut_recording_converts_with_a_warning(gauge: pathlib.Path, generate: Generate) -> None:
    recording = cut(generate(samples=50_000))
    outcome = run([gauge, "convert", "--to", "pstats", recording])
    assert outcome.returncode == 0
    assert b"the recording was cut" in outcome.stderr
    assert b"every whole block of it is used" in outcome.stderr  # the last one was cut off, so not all is
    assert run([gauge, "convert", "-f", "--strict", "--to", "pstats", recording]).returncode == 2


def test_a_whole_recording_is_fine_with_strict(gauge: pathlib.Path, generate: Generate) -> None:
    assert run([gauge, "convert", "--strict", "--to", "pstats", generate()]).returncode == 0


def test_an_empty_recording_gives_an_empty_file_and_says_why(gauge: pathlib.Path, generate: Generate) -> None:
    recording = generate(samples=0)
    listed = run([gauge, "convert", "--help"]).stdout.decode().partition("Formats:\n")[2].partition("\n\n")[0]
    names = [line.split()[0] for line in listed.splitlines()]
    assert len(names) >= 12
    for name in names:
        output = recording.with_name(f"out.{name}")
        outcome = run([gauge, "convert", "--to", name, "-o", output, recording])
        assert outcome.returncode == 0
        assert b"no samples (ran " in outcome.stderr
        assert b" at 1 kHz); record longer" in outcome.stderr
        assert output.stat().st_size > 0 or name == "collapsed"  # a line for each stack
    assert b"none (ran " in run([gauge, "info", recording]).stdout
    assert run([gauge, "report", recording]).returncode == 0


@pytest.mark.parametrize("name", ["chrome", "firefox", "perfetto", "speedscope"])
def test_a_timeline_without_order_says_so(gauge: pathlib.Path, generate: Generate, name: str) -> None:
    recording = generate()
    sizes = {}
    for kept in ("whole", "auto", "totals"):
        output = run([gauge, "convert", "--to", name, "--timeline", kept, "-o", "-", recording]).stdout
        assert (b", order not kept" in output) == (kept == "totals")
        sizes[kept] = len(output)
    assert sizes["totals"] < sizes["auto"] == sizes["whole"]


def test_info_json_has_exactly_the_keys_of_the_contract(gauge: pathlib.Path, generate: Generate) -> None:
    files = [generate("a.gpf"), generate("b.gpf", seed=2)]
    answer: list[dict[str, Any]] = json.loads(run([gauge, "info", "--json", *files]).stdout)
    assert [each["path"] for each in answer] == [str(file) for file in files]
    for each in answer:
        assert sorted(each) == sorted(INFO_KEYS)
        assert set(each["python"]) == {"version", "implementation", "free_threaded", "executable"}
        assert all(set(thread) == {"id", "native_id", "name", "samples", "cpu_ns"} for thread in each["threads"])
        assert sum(thread["samples"] for thread in each["threads"]) == each["samples"] == 2000
        assert each["bytes"] == os.path.getsize(each["path"])
        assert len(each["run_id"]) == 32


def test_info_tells_of_a_cut(gauge: pathlib.Path, generate: Generate) -> None:
    recording = cut(generate(samples=50_000))
    [answer] = json.loads(run([gauge, "info", "--json", recording]).stdout)
    assert answer["truncated"] is True
    assert answer["end_reason"] is None
    assert 0 < answer["samples"] < 50_000
    assert b"cut: the program was killed, or is still running" in run([gauge, "info", recording]).stdout


def test_half_of_a_first_block_is_not_taken_for_a_short_run(gauge: pathlib.Path, generate: Generate) -> None:
    outcome = run([gauge, "report", cut(generate(samples=500))])
    assert (
        b"no samples (the file ends within its first block); if it is a copy, copy it again"
        in outcome.stderr + outcome.stdout
    )


def test_check_says_what_is_wrong_and_where(gauge: pathlib.Path, generate: Generate) -> None:
    whole = generate("whole.gpf", samples=50_000)
    outcome = run([gauge, "check", whole])
    assert (outcome.returncode, outcome.stderr) == (0, b"")
    assert b"whole.gpf: whole (" in outcome.stdout
    assert b" 50 000 samples, " in outcome.stdout
    outcome = run([gauge, "check", whole, cut(generate("cut.gpf", samples=50_000))])
    assert outcome.returncode == 2
    assert b"cut.gpf: cut; " in outcome.stdout
    assert b": the file ends within a block (" in outcome.stdout
    assert b"no end record" in outcome.stdout


def test_every_flipped_bit_is_found_and_named(gauge: pathlib.Path, generate: Generate) -> None:
    path = generate(samples=20_000)
    data = path.read_bytes()
    begin = data.index(b"\x28\xb5\x2f\xfd", 40)  # the second block's, behind the header and the first
    second = data.index(b"\x28\xb5\x2f\xfd", begin + 4)
    for place in range(second + 5, min(second + 2000, len(data)), 97):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :])
        outcome = run([gauge, "check", path])
        assert outcome.returncode == 2, place
        assert f"\n  byte {second:,}".replace(",", " ") in outcome.stdout.decode(), place


def test_a_repaired_recording_is_whole_and_has_what_could_be_read(
    gauge: pathlib.Path, generate: Generate, tmp_path: pathlib.Path
) -> None:
    recording = cut(generate(samples=50_000))
    outcome = run([gauge, "check", "--repair", tmp_path / "mended.gpf", recording])
    assert outcome.returncode == 0
    assert run([gauge, "check", tmp_path / "mended.gpf"]).returncode == 0
    before, after = json.loads(run([gauge, "info", "--json", recording, tmp_path / "mended.gpf"]).stdout)
    assert (after["end_reason"], after["truncated"]) == ("cut, repaired", False)
    differing = {key for key in before if before[key] != after[key]}
    assert differing <= {"path", "bytes", "end_reason", "truncated"}
    strict = [gauge, "convert", "--strict", "--to", "pstats", "-o"]
    assert run([*strict, tmp_path / "x.pstats", tmp_path / "mended.gpf"]).returncode == 0


def test_check_looks_at_every_file_whatever_the_first_ones_are(
    gauge: pathlib.Path, generate: Generate, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "text.gpf").write_text("a letter")
    outcome = run([gauge, "check", tmp_path / "text.gpf", cut(generate("cut.gpf", samples=50_000)), generate()])
    assert outcome.returncode == 1
    assert b"text.gpf: is not a gauge recording" in outcome.stderr
    assert b"cut.gpf: cut; " in outcome.stdout
    assert b"in.gpf: whole (" in outcome.stdout


def test_a_path_that_is_no_text_does_not_break_json(gauge: pathlib.Path, generate: Generate) -> None:
    recording = generate()
    odd = os.path.join(os.fsencode(recording.parent), b"\xff.gpf")
    os.rename(recording, odd)
    [answer] = json.loads(run([gauge, "info", "--json", os.fsdecode(odd)]).stdout)
    assert answer["samples"] == 2000
    assert run([gauge, "report", "--json", os.fsdecode(odd)]).returncode == 0


def test_report_json_adds_up(gauge: pathlib.Path, generate: Generate) -> None:
    recording = generate()
    answer = json.loads(run([gauge, "report", "--json", recording]).stdout)
    assert (answer["schema"], answer["version"]) == ("gauge-report", 1)
    functions = answer["functions"]
    assert len(functions) == answer["function_count"]
    for unit in ("samples", "wall_ns", "cpu_ns"):
        assert sum(each["self"][unit] for each in functions) <= answer["total"][unit]
        assert all(each["self"][unit] <= each["total"][unit] <= answer["total"][unit] for each in functions)
    assert answer["total"]["samples"] == 2000
    order = [(-each["self"]["wall_ns"], -each["total"]["wall_ns"]) for each in functions]
    assert order == sorted(order)


def test_report_json_agrees_with_pstats(gauge: pathlib.Path, generate: Generate) -> None:
    recording = generate()
    run([gauge, "convert", "--to", "pstats", recording])
    answer = json.loads(run([gauge, "report", "--json", recording]).stdout)
    total = pstats.Stats(str(recording.with_suffix(".pstats"))).total_tt  # type: ignore[attr-defined]
    assert sum(each["self"]["wall_ns"] for each in answer["functions"]) / 1e9 == pytest.approx(total, abs=1e-6)


def collapsed(gauge: pathlib.Path, *words: str | pathlib.Path) -> dict[str, int]:
    """What `gauge convert` with these options makes of each stack; thread by thread."""
    outcome = run([gauge, "convert", "--to", "collapsed", "--weight", "wall", "--threads", "-o", "-", *words])
    assert outcome.returncode == 0, outcome.stderr
    lines = outcome.stdout.decode().splitlines()
    return {stack: int(amount) for stack, _, amount in (line.rpartition(" ") for line in lines)}


def test_options_choose_what_is_seen(gauge: pathlib.Path, generate: Generate) -> None:
    recording = generate()
    whole = collapsed(gauge, recording)
    thread = next(iter(whole)).split(";")[0].removeprefix("<thread ").removesuffix(">")
    of_thread = {stack: wall for stack, wall in whole.items() if stack.startswith(f"<thread {thread}>")}
    assert 0 < len(of_thread) < len(whole)
    assert collapsed(gauge, "--thread", thread, recording) == of_thread
    until, since = (collapsed(gauge, option, "100ms", recording) for option in ("--until", "--since"))
    assert 0 < sum(until.values()) < sum(whole.values())
    assert sum(until.values()) + sum(since.values()) == sum(whole.values())
    shallow = collapsed(gauge, "--depth", "1", recording)
    assert all(stack.count(";") <= 1 for stack in shallow)
    assert sum(shallow.values()) == sum(whole.values())


def test_report_shows_what_options_choose(gauge: pathlib.Path, generate: Generate) -> None:
    recording = generate()
    first = json.loads(run([gauge, "report", "--json", recording]).stdout)["functions"][0]
    found = json.loads(run([gauge, "report", "--json", "--include", first["name"], recording]).stdout)
    assert found["total"] == first["total"]


def test_options_that_leave_nothing_say_so(gauge: pathlib.Path, generate: Generate) -> None:
    outcome = run([gauge, "convert", "--to", "collapsed", "-o", "-", "--include", "nobody", generate()])
    assert (outcome.returncode, outcome.stdout) == (0, b"[no samples] 0\n")
    assert b"gauge: none of 2 000 samples is to be seen by these options; see what there is with" in outcome.stderr
    assert b"record longer" not in outcome.stderr  # the recording is not to blame


def test_report_is_plain_in_a_pipe_and_coloured_on_demand(gauge: pathlib.Path, generate: Generate) -> None:
    recording = generate()
    environment = {"NO_COLOR": None, "FORCE_COLOR": None, "COLUMNS": None}
    plain = run([gauge, "report", recording], env=environment).stdout
    assert b"\x1b" not in plain
    assert b"\x1b" in run([gauge, "report", "--color", "always", recording], env=environment).stdout
    assert b"\x1b" in run([gauge, "report", recording], env=environment | {"FORCE_COLOR": "1"}).stdout
    both = environment | {"FORCE_COLOR": "1", "NO_COLOR": "1"}
    assert b"\x1b" not in run([gauge, "report", recording], env=both).stdout
    limited = run([gauge, "report", "--limit", "3", recording], env=environment).stdout.decode().splitlines()
    assert limited[-1].endswith("shows all")
    heading = next(number for number, line in enumerate(limited) if line.split()[:1] == ["self"])
    assert len(limited) - heading == 1 + 3 + 1  # heading, functions, rest


def test_long_work_tells_how_far_it_is(gauge: pathlib.Path, generate: Generate, tmp_path: pathlib.Path) -> None:
    command = [gauge, "convert", "-o", tmp_path / "out.jsonl", generate(samples=800_000)]
    outcome = run_on_terminal(command, {name: value for name, value in os.environ.items() if name != "CI"})
    *shown, last = re.split(r"\r(?!\n)", outcome.output)
    bar = re.compile(r"gauge: writing  [█░]{20}  [ \d]{2}\d%(, \d+ s left)?\x1b\[K")
    assert any(map(bar.fullmatch, shown)), shown
    assert last.startswith(f"\x1b[Kgauge: {tmp_path}/out.jsonl: jsonl of 800 000 samples\r\n")


@pytest.mark.parametrize("columns", [80, 140])
def test_report_fits_the_terminal(gauge: pathlib.Path, generate: Generate, columns: int) -> None:
    environment = os.environ | {"COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "xterm"}
    outcome = run_on_terminal([gauge, "report", generate()], environment)
    assert outcome.status == 0
    lines = outcome.output.splitlines()
    assert "░" in outcome.output
    assert max(map(len, lines)) <= columns
