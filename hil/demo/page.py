"""A demo's Python: whoever wrote it is told where in it something went wrong."""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from hil.errors import HilError, UsageError

FUNCTIONS = ("streams", "metrics", "verdict")


def load(page: Path) -> ModuleType:
    """The module in the file `page`. Raises `UsageError`."""
    spec = importlib.util.spec_from_file_location(f"hil_demo_{page.stem}", page)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with blamed(page):
        spec.loader.exec_module(module)
    for function in FUNCTIONS:
        if not callable(getattr(module, function, None)):
            raise UsageError(f"{str(page)!r} has no function {function!r}")
    return module


@contextmanager
def blamed(page: Path) -> Iterator[None]:
    """What is raised in here and is no error of ours is one of the page's, a
    `UsageError` that names the line of it from which it came."""
    try:
        yield
    except HilError:
        raise
    except Exception as error:
        line = _line(page, error)
        where = str(page) if line is None else f"{page}, line {line}"
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UsageError(
            f"demo page {where}: {type(error).__name__}: {' '.join(text.split())}",
            "docs/demos.md says what its functions give; -v shows the traceback",
        ) from error


def _line(page: Path, error: Exception) -> int | None:
    """The innermost line of the page that an error came through."""
    if isinstance(error, SyntaxError) and error.filename == str(page):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(page)]
    return lines[-1] if lines else None
