"""Modules of the package import only from the layers before their own, as `ARCHITECTURE.md` has them."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
PAGE = PACKAGE.parent / "influx-backup-core" / "ARCHITECTURE.md"


def layers(language: str) -> dict[str, int]:
    """The number of the layer of each module."""
    section = PAGE.read_text().split("\n## The Python package\n")[1].split("\n## ")[0]
    rows = re.findall(rf"^- \*\*.*?\*\* \({language}: (.*?)\):", section, re.MULTILINE)
    return {module: number for number, row in enumerate(rows) for module in re.findall(r"`(\w+)`", row)}


def wrong(found: dict[str, int], imports: dict[str, set[str]]) -> list[str]:
    """The imports from a later layer."""
    edges = [(module, name) for module, names in imports.items() for name in names if name in found]
    return [f"{module} -> {name}" for module, name in edges if found[name] > found[module]]


def test_rust() -> None:
    found = layers("Rust")
    imports: dict[str, set[str]] = {}
    for path in (PACKAGE / "src").rglob("*.rs"):
        module = path.relative_to(PACKAGE / "src").parts[0].removesuffix(".rs")
        if module != "lib":
            code = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.MULTILINE)
            single = re.findall(r"crate::(\w+)", code)
            several = re.findall(r"crate::\{(.*?)\};", code, re.DOTALL)
            nested = [
                name for group in several for name in re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"\{[^}]*\}", "", group))
            ]
            imports.setdefault(module, set()).update(single, nested)
    assert set(imports) == set(found)
    assert wrong(found, imports) == []


def test_python() -> None:
    found = layers("Python")
    imports: dict[str, set[str]] = {}
    for path in (PACKAGE / "python" / "influx_backup").glob("*.py"):
        # What is imported for types alone, or when a function runs, is indented.
        code = path.read_text()
        imports[path.stem] = set(re.findall(r"^from \.(\w+) import", code, re.MULTILINE))
    assert set(imports) == set(found)
    assert wrong(found, imports) == []
