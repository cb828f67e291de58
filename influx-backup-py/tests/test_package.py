"""What `import influx_backup` brings."""

import inspect
import subprocess
import sys

import influx_backup
from influx_backup import _native, copiers, errors, testing


def test_every_public_name_is_listed_and_there() -> None:
    public = {
        name
        for name in vars(influx_backup)
        if not name.startswith("_") and name not in ("TYPE_CHECKING", "annotations")
    }
    public.add("__version__")
    modules = {name for name in public if inspect.ismodule(getattr(influx_backup, name))}
    assert set(influx_backup.__all__) == public - modules
    assert len(influx_backup.__all__) == len(set(influx_backup.__all__))


def test_every_class_of_the_native_module_is_there() -> None:
    classes = {name for name, value in vars(_native).items() if inspect.isclass(value)}
    assert classes - set(testing.__all__) | set(errors.__all__) | set(copiers.__all__) <= set(influx_backup.__all__)


def test_verbs_are_those_of_the_package() -> None:
    native = {name for name, value in vars(_native).items() if inspect.isroutine(value)} - {"default_copiers"}
    for name in native & set(influx_backup.__all__) | {"Job", "Repository"}:
        assert getattr(influx_backup, name) is not getattr(_native, name)


def test_importing_it_imports_no_asyncio() -> None:
    program = "import sys, influx_backup; print(*{'asyncio', 'logging', 'inspect'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
