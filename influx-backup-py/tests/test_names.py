"""`names.py` has the names that the core gives its enums."""

import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from influx_backup import names

CORE = Path(__file__).parents[2] / "influx-backup-core" / "src"

CALLED = {"SkipReason": "Reason"}
"""What an enum is called in the core, where that is not its name here."""


@cache
def of_the_core() -> dict[str, tuple[str, ...]]:
    """The names of each enum, as its `named!` list has them."""
    lists = {}
    for path in CORE.rglob("*.rs"):
        for enum, listed in re.findall(r'named!\((\w+), "[^"]*", \{(.*?)\}\);', path.read_text(), re.DOTALL):
            lists[enum] = tuple(re.findall(r'=> "([^"]+)"', listed))
    return lists


@pytest.mark.parametrize("name", names.__all__)
def test_an_enum_has_the_names_of_the_core(name: str) -> None:
    assert get_args(getattr(names, name)) == of_the_core()[CALLED.get(name, name)]
