"""Runs inside each CPython under test: loads pstats files and tells as JSON what pstats makes of them.

usage: pstats_probe.py FILE...   needs nothing but the standard library, and syntax that every supported CPython has
"""

import io
import json
import pstats
import sys

SORT_KEYS = ("calls", "cumulative", "filename", "line", "name", "nfl", "pcalls", "stdname", "time")


def rows_of(stats):
    """The statistics as a list of [key, numbers, callers]."""
    return [
        [list(key), list(numbers), [[list(caller), list(edge)] for caller, edge in callers.items()]]
        for key, (*numbers, callers) in stats.stats.items()
    ]


def printed(path, print_rows):
    """What a print method writes."""
    out = io.StringIO()
    stats = pstats.Stats(path, stream=out).sort_stats("stdname")
    print_rows(stats)
    return out.getvalue()


def describe(path):
    """Everything that pstats says of one file."""
    for key in SORT_KEYS:
        pstats.Stats(path, stream=io.StringIO()).sort_stats(key).print_stats().print_callers().print_callees()
    stats = pstats.Stats(path)
    answer = {
        "rows": rows_of(stats),
        "total": [stats.total_calls, stats.prim_calls, stats.total_tt],
        "stats": printed(path, lambda each: each.print_stats()),
        "callers": printed(path, lambda each: each.print_callers()),
        "callees": printed(path, lambda each: each.print_callees()),
        "stripped": rows_of(pstats.Stats(path).strip_dirs()),
        "profile": {
            name: [each.ncalls, each.tottime, each.cumtime, each.file_name, each.line_number]
            for name, each in pstats.Stats(path).get_stats_profile().func_profiles.items()
        },
    }
    stats.dump_stats(path + ".again")
    answer["again"] = rows_of(pstats.Stats(path + ".again"))
    return answer


def main():
    """Describe each file, and what comes of adding them all up."""
    paths = sys.argv[1:]
    together = pstats.Stats(paths[0])
    for path in paths[1:]:
        together.add(path)
    json.dump({"files": [describe(path) for path in paths], "sum": rows_of(together)}, sys.stdout)


if __name__ == "__main__":
    main()
