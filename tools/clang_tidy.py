#!/usr/bin/env python3
"""Runs clang-tidy on every source of a build tree, and remembers the clean ones: clang_tidy.py BUILD_DIR.

A source is checked again only if it, a header of ours that it includes, .clang-tidy, its compile command or clang-tidy
itself changed. What a source includes stands in Ninja's dependency log, so the tree must have been built.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
CLANG_TIDY = pathlib.Path(sys.executable).with_name("clang-tidy")  # of the same virtual environment
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "gauge" / "clang-tidy"


def dependencies(build: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """Object file (relative to the build tree) to the files of the repository that it is made of."""
    log = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], check=True, capture_output=True, text=True).stdout
    found: dict[str, list[pathlib.Path]] = {}
    current: list[pathlib.Path] = []
    for line in log.splitlines():
        if line.startswith("    "):
            path = (build / line.strip()).resolve()
            if path.is_relative_to(REPOSITORY) and path.suffix != ".gch":
                current.append(path)
        elif ": #deps" in line:
            current = found.setdefault(line.partition(":")[0], [])
    return found


def is_ours(source: pathlib.Path, build: pathlib.Path) -> bool:
    return source.is_relative_to(REPOSITORY) and not source.is_relative_to(build)


def jobs(build: pathlib.Path) -> dict[pathlib.Path, str]:
    """Each source of ours to the digest of everything its verdict depends on. Of several builds of one, the first."""
    included = dependencies(build)
    common = hashlib.sha256()
    for configuration in (REPOSITORY / ".clang-tidy", REPOSITORY / "tests/.clang-tidy"):
        common.update(configuration.read_bytes())
    common.update(subprocess.run([CLANG_TIDY, "--version"], check=True, capture_output=True).stdout)
    result: dict[pathlib.Path, str] = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"]).resolve()
        if source in result or not is_ours(source, build):
            continue
        words = shlex.split(entry["command"])
        digest = common.copy()
        digest.update(json.dumps([word.replace(str(REPOSITORY), "") for word in words[1:]]).encode())
        for path in sorted({source, *included.get(words[words.index("-o") + 1], [])}):
            digest.update(f"\0{path.relative_to(REPOSITORY)}\0".encode())
            digest.update(path.read_bytes())
        result[source] = digest.hexdigest()
    return result


def check(build: pathlib.Path, source: pathlib.Path) -> str:
    """What clang-tidy has against `source`: empty if nothing."""
    # libstdc++ 12 itself uses what it calls deprecated.
    # CPython 3.13's headers know the atomics of GCC 4.8 and later; Clang says that it is GCC 4.2.
    # GCC's precompiled headers are read as the text they were made of.
    flags = ["-Wno-unknown-warning-option", "-Wno-deprecated-declarations", "-fgnuc-version=4.8", "-Wno-ignored-gch"]
    extra = [f"--extra-arg={flag}" for flag in flags]
    command = [str(CLANG_TIDY), "-p", str(build), "--quiet", *extra, str(source)]
    outcome = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    # Standard error only counts suppressed warnings, unless clang-tidy itself failed.
    return outcome.stdout + outcome.stderr if outcome.returncode else ""


def main() -> int:
    build = pathlib.Path(sys.argv[1]).resolve()
    CACHE.mkdir(parents=True, exist_ok=True)
    todo = [(source, CACHE / digest) for source, digest in jobs(build).items() if not (CACHE / digest).exists()]
    print(f"clang-tidy: {len(todo)} changed sources", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(check, build, source): (source, mark) for source, mark in todo}
        for done in concurrent.futures.as_completed(running):
            source, mark = running[done]
            complaints = done.result()
            if complaints:
                failed += 1
                print(f"{source.relative_to(REPOSITORY)}:\n{complaints}", flush=True)
            else:
                mark.touch()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
