"""`names.py` has the names that the core gives its enums."""

import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from influx_backup import names

CORE = Path(__file__).parents[2] / "influx-backup-core" / "src"

CALLED = {
    "Phase": "progress::Phase",
    "RestorePhase": "target::Phase",
    "SkipReason": "Reason",
    "SkippedKind": "SkippedItem",
}
"""What an enum is called in the core, where that is not its name here, or where several have this name."""


@cache
def of_the_core() -> dict[str, tuple[str, ...]]:
    """The names of each enum, as its `named!` list or its `kind()` has them, also as `module::Enum`."""
    lists = {}
    for path in sorted(CORE.rglob("*.rs")):
        text = path.read_text()
        listed = re.findall(r'named!\((\w+), "[^"]*", \{(.*?)\}\);', text, re.DOTALL)
        kinds = re.findall(r"impl (\w+) \{[^}]*fn kind\(&self\) -> &'static str \{(.*?)\n    \}", text, re.DOTALL)
        for enum, body in listed + kinds:
            lists[enum] = lists[f"{path.stem}::{enum}"] = tuple(re.findall(r'=> "([^"]+)"', body))
    return lists


@pytest.mark.parametrize("name", names.__all__)
def test_an_enum_has_the_names_of_the_core(name: str) -> None:
    assert get_args(getattr(names, name)) == of_the_core()[CALLED.get(name, name)]
