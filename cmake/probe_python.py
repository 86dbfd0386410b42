"""Tell CMake what the interpreter running this is, as one line of ;-separated fields.

Written for any Python, 2.7 included: it is run by every interpreter found, most of which are not wanted.
"""

import os
import platform
import sys
import sysconfig


def main():
    include = sysconfig.get_path("include") or ""
    has_headers = os.path.exists(os.path.join(include, "Python.h"))
    has_internals = os.path.exists(os.path.join(include, "internal", "pycore_runtime.h"))
    print(
        ";".join(
            [
                platform.python_implementation(),
                "%d.%d" % sys.version_info[:2],
                "%d" % sys.version_info[2],
                "release" if sys.version_info[3] == "final" else "prerelease",
                "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "gil",
                "headers" if has_headers and has_internals else "no-headers",
                include,
                sysconfig.get_config_var("EXT_SUFFIX") or "",
                os.path.realpath(sys.executable),
            ]
        )
    )


main()
