"""`python -m gauge ...`: the command line that was installed with this package."""

from __future__ import annotations

import os
import sys
import sysconfig


def find_executable() -> str | None:
    """The `gauge` beside this package: of the environment, of the user, of the build tree, on the PATH."""
    here = os.path.dirname(os.path.abspath(__file__))
    folders = [
        os.path.join(here, "..", "..", "..", "bin"),
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", f"{os.name}_user"),
        os.path.dirname(sys.executable),
        *os.environ.get("PATH", os.defpath).split(os.pathsep),
    ]
    for folder in folders:
        path = os.path.join(folder, "gauge")
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def main() -> int:
    """Become the command line. Returns only where there is none."""
    executable = find_executable()
    if executable is None:
        print("gauge: the command line was not found beside the package; reinstall gauge", file=sys.stderr)
        return 1
    os.execv(executable, ["gauge", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
