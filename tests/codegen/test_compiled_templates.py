"""Compiled templates in the cache: taken where they are whole and made of the same."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import jinja2
import pytest

from codegen.rendering.compiled import Compiled

Rendered = Callable[..., str]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of compiled templates, in a cache of this test's own."""
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "templates"


@pytest.fixture
def rendered(tmp_path: Path) -> Rendered:
    """A template's text, rendered by an environment that has compiled none yet."""

    def render(text: str, **filters: Callable[[str], str]) -> str:
        (tmp_path / "t.j2").write_text(text)
        made = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path))
        made.filters |= filters
        made.bytecode_cache = Compiled(made)
        return made.get_template("t.j2").render(name="world")

    return render


def only(folder: Path) -> Path:
    (entry,) = folder.iterdir()
    return entry


def test_a_template_that_is_there_is_not_compiled_again(
    kept: Path, rendered: Rendered, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = rendered("hello {{ name }}")

    def compiled(*_: object, **__: object) -> None:
        raise AssertionError("it was compiled again")

    monkeypatch.setattr(jinja2.Environment, "compile", compiled)
    assert rendered("hello {{ name }}") == first == "hello world"


def test_a_template_with_another_text_is_compiled(
    kept: Path, rendered: Rendered
) -> None:
    assert rendered("hello {{ name }}") == "hello world"
    assert rendered("bye {{ name }}") == "bye world"
    assert len(list(kept.iterdir())) == 2


@pytest.mark.parametrize("at", [0, 40, -1])
def test_a_damaged_entry_is_not_used_and_made_again(
    kept: Path, rendered: Rendered, at: int
) -> None:
    rendered("hello {{ name }}")
    entry = only(kept)
    whole = entry.read_bytes()
    damaged = bytearray(whole)
    damaged[at] ^= 1
    entry.write_bytes(damaged)
    assert rendered("hello {{ name }}") == "hello world"
    assert only(kept).read_bytes() == whole


def test_a_filter_that_has_changed_is_applied_to_constants_anew(
    kept: Path, rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hil_test_filters.py"
    for word in ("loud", "quiet"):
        file.write_text(f"def shown(text):\n    return text + ', {word}'\n")
        spec = spec_from_file_location(file.stem, file)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        monkeypatch.setitem(sys.modules, file.stem, module)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(module)
        assert rendered("{{ 'hello' | shown }}", shown=module.shown) == f"hello, {word}"


def test_a_cache_that_cannot_be_written_is_done_without(
    rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "file"))
    assert rendered("hello {{ name }}") == "hello world"
