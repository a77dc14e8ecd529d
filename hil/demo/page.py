"""A demo's Python: it finds modules beside it, and whoever wrote it is told where in it
something went wrong."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from hil.errors import HilError, UsageError, did_you_mean

FUNCTIONS = ("streams", "metrics", "verdict")


def load(page: Path) -> ModuleType:
    """The module in the file `page`. Raises `UsageError`."""
    spec = importlib.util.spec_from_file_location(f"hil_demo_{page.stem}", page)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    importlib.invalidate_caches()  # what lies beside it may be new
    with blamed(page):
        spec.loader.exec_module(module)
    for function in FUNCTIONS:
        if not callable(getattr(module, function, None)):
            known = [name for name, value in vars(module).items() if callable(value)]
            raise UsageError(
                f"{str(page)!r} has no function {function!r}",
                *did_you_mean(function, known),
            )
    return module


@contextmanager
def blamed(page: Path) -> Iterator[None]:
    """The page's own code runs in here, and may import modules that lie beside it. What
    is raised and is no error of ours is one of the page's, a `UsageError` that names
    the line from which it came."""
    try:
        with _beside(page.parent):
            yield
    except HilError:
        raise
    except Exception as error:
        file, line = _place(page, error)
        where = str(file) if line is None else f"{file}, line {line}"
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UsageError(
            f"demo page {where}: {type(error).__name__}: {' '.join(text.split())}",
            "docs/demos.md says what its functions give; -v shows the traceback",
        ) from error


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Modules of the folder can be imported, before all others. Then they are forgotten,
    for another demo's may have the same names."""
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if folder in Path(file or "").parents:
                del sys.modules[name]


def _place(page: Path, error: Exception) -> tuple[Path, int | None]:
    """The innermost line of the page, or of a module beside it, that an error came
    through."""
    if isinstance(error, SyntaxError) and _is_beside(page, error.filename or ""):
        return Path(error.filename or ""), error.lineno
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _is_beside(page, frame.filename):
            return Path(frame.filename), frame.lineno
    return page, None


def _is_beside(page: Path, file: str) -> bool:
    return page.parent in Path(file).parents


def kind(value: object) -> str:
    """What somebody's function gives, for people."""
    return "nothing" if value is None else f"a {type(value).__name__}"
