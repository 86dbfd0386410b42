"""Documentation that is true at least where a machine can tell: every format has its page."""

from __future__ import annotations

import re

import pytest

from tree import REPOSITORY, files

_FORMAT_ROW = re.compile(r'\{\s*(?:\.name = )?"([a-z][a-z0-9-]*)",\s*(?:\.extension = )?"\.')


def formats() -> list[str]:
    """The names in the table of formats, as its source has them."""
    return _FORMAT_ROW.findall((REPOSITORY / "formats/format.cc").read_text())


def test_the_table_of_formats_was_found() -> None:
    assert {"callgrind", "pstats"} <= set(formats())


@pytest.mark.parametrize("name", formats())
def test_every_format_has_its_page_its_golden_files_and_its_line_in_the_readme(name: str) -> None:
    assert f"docs/formats/{name}.md" in files()
    assert any((REPOSITORY / "tests/golden" / name).iterdir())
    assert f"`{name}`" in files()["README.md"]
