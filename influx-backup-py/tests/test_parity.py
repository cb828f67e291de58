"""Python has every public item of the core, or `api-excluded.json` of the core says why no binding has it.

`api.json` of the core lists the items. Each is looked for in Python by these rules:

| in the core                       | in Python                                                                    |
|-----------------------------------|------------------------------------------------------------------------------|
| `function()`                      | a function of the package                                                    |
| `Type`                            | a class of the package, a `TypedDict` of `options`, or a `Literal` of `names` |
| `Type.field`, `Type::method()`    | an attribute of the class, or a key of the `TypedDict`                       |
| `Options::with_x()`               | the key `x`                                                                  |
| `Request::with_x()`               | the keyword `x` of the verb                                                  |
| `Enum::Variant`                   | its name, as the core writes it, in the `Literal`, or among the choices of the option |
| `Enum::ALL`, `NAMES`, `as_str()`  | the `Literal`, or the option                                                 |
| `Error::Variant`, `FindingCode::Variant` | its code, in `ERROR_CODES` or `FINDING_CODES`                         |
| `EventKind::Variant`              | a class of the package                                                       |

`CALLED` lists what has another name in Python.
"""

from __future__ import annotations

import inspect
import json
import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import influx_backup as ib
import pytest
from influx_backup import names, options, testing, verbs  # noqa: F401

CORE = Path(__file__).parents[2] / "influx-backup-core"
ITEMS: list[str] = json.loads((CORE / "api.json").read_text())
EXCLUDED: dict[str, str] = json.loads((CORE / "api-excluded.json").read_text())

CALLED = {
    "Cluster::catalog_prefix()": "ClusterDescription.catalog_prefix",
    "Cluster::edition()": "ClusterDescription.edition",
    "Cluster::id()": "ClusterDescription.id",
    "Cluster::list()": "inventory",
    "Cluster::nodes()": "ClusterDescription.nodes",
    "Cluster::notes()": "ClusterDescription.notes",
    "DiscoverOptions::with_excluded_node()": "options.DiscoverOptions.excluded_nodes",
    "DiscoverOptions::with_node()": "options.DiscoverOptions.node_ids",
    "Error": "InfluxBackupError",
    "Error::CODES": "ERROR_CODES",
    "Error::is_retryable()": "InfluxBackupError.retryable",
    "EventKind": "Event",
    "EventKind::Finding": "FindingEvent",
    "EventKind::Progress": "ProgressEvent",
    "EventKind::name()": "Event.kind",
    "Events": "Job",
    "Events::next()": "Job.__aiter__",
    "FindingCode": "FINDING_CODES",
    "FindingCode::ALL": "FINDING_CODES",
    "FindingCode::as_str()": "FINDING_CODES",
    "FindingCode::meaning()": "FINDING_CODES",
    "FindingCode::severity()": "FINDING_CODES",
    "Job::events()": "Job.__aiter__",
    "Job::handle()": "Job",
    "JobHandle": "Job",
    "JobHandle::finished()": "Job.__await__",
    "JobHandle::report()": "InfluxBackupError.report",
    "Location::contains()": "Location.__contains__",
    "Location::parse()": "Location",
    "Location::with_store()": "Location",
    "Progress.pass": "Progress.pass_number",
    "Repository::open()": "Repository.open_async",
    "Repository::restore_backup()": "Repository.restore",
    "Request": "Job",
    "Request::start()": "Job",
    "Request::with_object_events()": "abandon.object_events",
    "Restore": "Repository.restore",
    "Restore::approving()": "Repository.restore",
    "Restore::approving_hash()": "Repository.restore.approved_hash",
    "Restore::new()": "Repository.restore",
    "Restore::start()": "Repository.restore_async",
    "Restore::with_run_options()": "options.RestoreRunOptions",
    "Source": "options.Place",
    "Source::at()": "options.Place",
    "Target::inspect()": "inspect",
    "backup::BackupRequest": "Repository.backup",
    "backup::BackupRequest::start()": "Repository.backup_async",
    "certify::CertifyRequest": "certify",
    "certify::CertifyRequest::start()": "certify_async",
    "certify::CertifyRequest::with_options()": "options.CertifyOptions",
    "certify::certify_backup()": "certify",
    "certify::certify_cluster()": "certify",
    "cli::run()": "_native.run_program",
    "copier::CopyContext.cancellation": "CopyContext.is_cancelled",
    "copier::CopyContext.progress": "CopyContext.moved",
    "copier::CopyRequest.expect": "CopyRequest.size",
    "copier::CopyRequest.from": "CopyRequest.source_key",
    "copier::CopyRequest.to": "CopyRequest.target_key",
    "error::CopyError::Changed": "SourceChanged",
    "error::CopyError::Corrupt": "Corrupt",
    "error::CopyError::Unsupported": "Unsupported",
    "error::CopyError::Vanished": "SourceVanished",
    "error::CopyError::code()": "CopyError.copy_code",
    "error::ErrorCode": "ERROR_CODES",
    "error::ErrorCode.category": "ERROR_CODES",
    "error::ErrorCode.code": "ERROR_CODES",
    "error::ErrorCode.meaning": "ERROR_CODES",
    "options::ContentDigest": "options.BackupOptions.digest",
    "options::ServersStopped": "options.RestoreRunOptions.servers_stopped",
    "options::SourceCheck": "options.RestoreOptions.check",
    "plan::Reason": "names.SkipReason",
    "plan::Skipped.item": "Skipped.kind",
    "target::FoundRoot.content": "FoundRoot.kind",
    "target::Phase": "names.RestorePhase",
    "target::RootContent::Catalog": "names.RootContent.catalog",
    "target::RootContent::Guard": "names.RootContent.guard",
    "target::RootContent::Unreadable": "names.RootContent.unreadable",
    "target::RootContent::kind()": "FoundRoot.kind",
    "testing::generate::GenerateOptions::generate_into()": "testing.generate",
    "verify::VerifyReport::passed()": "VerifyReport.ok",
    "verify::verify_at()": "verify",
}
"""What an item of the core, and with it what belongs to it, is called in Python."""

PARTS = re.compile(r"((?:[a-z_]+::)*)([A-Za-z]\w*)(\(\))?(?:(?:\.|::)(\w+)(?:\(\))?)?")
"""Module, type or function, `()` of a function, and what belongs to the type."""


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@cache
def variants() -> dict[str, dict[str, str]]:
    """How the core writes the variants of each enum that has names."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((CORE / "src").rglob("*.rs")):
        for enum, listed in re.findall(r'named!\((\w+), "[^"]*", \{(.*?)\}\);', path.read_text(), re.DOTALL):
            found.setdefault(enum, {}).update(re.findall(r'(\w+)(?:\([\w:]+\))? => "([^"]+)"', listed))
    return found


@cache
def classes_of_options() -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.__all__ if hasattr(getattr(options, name), "__total__")}


@cache
def hints(of: Any) -> dict[str, Any]:
    """The keys of a `TypedDict`."""
    return get_type_hints(of, localns={"Location": ib.Location}) if hasattr(of, "__total__") else {}


@cache
def choices_of(option: str) -> str | None:
    """The path of an option with choices."""
    for name, struct in classes_of_options().items():
        if get_origin(hints(struct).get(option)) is Literal:
            return f"options.{name}.{option}"
    return None


def path_of_type(module: str, name: str) -> str:
    """Where a type of the core is in Python, if it is there."""
    if called := CALLED.get(module + name):
        return called
    if name in classes_of_options():
        return f"options.{name}"
    if module == "testing::generate::":
        return f"testing.{name}"
    if name in names.__all__:
        return f"names.{name}"
    if f"{module}{name}::NAMES" in ITEMS and (option := choices_of(snake(name))):
        return option
    return name


def path_of(item: str) -> str:
    """Where an item of the core is in Python, if it is there."""
    if called := CALLED.get(item):
        return called
    parts = PARTS.fullmatch(item)
    assert parts, item
    module, name, is_function, member = parts.groups()
    if is_function:
        return name
    of_type = path_of_type(module, name)
    if member is None:
        return of_type
    if member in ("ALL", "NAMES", "as_str"):
        return of_type
    if name == "Error" and member[0].isupper():
        return f"ERROR_CODES.{snake(member).replace('_', '-')}"
    if name == "FindingCode" and member[0].isupper():
        return f"FINDING_CODES.{snake(member).replace('_', '-')}"
    if name == "EventKind" and member[0].isupper():
        return member
    if f"{module}{name}::NAMES" in ITEMS:
        return f"{of_type}.{variants().get(name, {}).get(member, member)}"
    if of_type.startswith("options.") or inspect.isroutine(resolve(of_type)):
        member = member.removeprefix("with_")
    return f"{of_type}.{member}"


MISSING = object()


def choices(hint: object) -> set[object]:
    """The values of a literal, also of one in a union."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set[object]().union(*(choices(part) for part in get_args(hint)))


def resolve(path: str) -> object:
    """What is at a path: in the package, a class, a `TypedDict`, a `Literal`, a table of codes, or a function."""
    found: Any = ib
    for part in path.split("."):
        if get_origin(found) is not None:
            return found if part in choices(found) else MISSING
        if isinstance(found, dict):
            found = found.get(part, MISSING)
        elif part in hints(found):
            found = hints(found)[part]
        elif inspect.isroutine(found):
            found = inspect.signature(found).parameters.get(part, MISSING)
        else:
            found = getattr(found, part, getattr(found, "__annotations__", {}).get(part, MISSING))
        if found is MISSING:
            break
    return found


def matching(pattern: str) -> list[str]:
    return [item for item in ITEMS if fnmatchcase(item, pattern)]


IN_PYTHON = [item for item in ITEMS if resolve(path_of(item)) is not MISSING]


def test_every_item_is_in_python_or_excluded() -> None:
    missing = [item for item in ITEMS if item not in IN_PYTHON and not any(fnmatchcase(item, it) for it in EXCLUDED)]
    assert missing == [], "add them to Python, or to api-excluded.json with a reason"


@pytest.mark.parametrize("pattern", EXCLUDED)
def test_what_is_excluded_is_in_the_core_and_not_in_python(pattern: str) -> None:
    matched = matching(pattern)
    assert matched, "no item of the core matches"
    assert [item for item in matched if item in IN_PYTHON] == [], "Python has it"


def test_what_is_excluded_is_sorted_and_has_a_reason() -> None:
    assert list(EXCLUDED) == sorted(EXCLUDED)
    assert all(reason.strip() for reason in EXCLUDED.values())


@pytest.mark.parametrize("item", CALLED)
def test_what_is_called_otherwise_is_in_the_core(item: str) -> None:
    assert item in ITEMS


def test_a_new_item_of_the_core_is_missed() -> None:
    for item in ("BackupReport.unheard", "Clause::Unheard", "Repository::unheard()", "Unheard", "unheard()"):
        assert resolve(path_of(item)) is MISSING


VERBS = {
    **{name: it for name, it in vars(ib).items() if inspect.isfunction(it) and it.__module__ == verbs.__name__},
    **{f"Repository.{name}": it for name, it in vars(ib.Repository).items() if inspect.isfunction(it)},
}
"""The functions and methods by which work is done."""


@pytest.mark.parametrize(
    "name", [it for it in VERBS if not it.endswith("_async") and "._" not in it and it != "Repository.marker"]
)
def test_every_verb_has_its_form_for_asyncio(name: str) -> None:
    here, there = (dict(inspect.signature(VERBS[it]).parameters) for it in (name, f"{name}_async"))
    del here["progress"]
    assert list(here.values()) == list(there.values())
