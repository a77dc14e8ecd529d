"""What `make setup` installs: all of it pinned, for every Python, from nowhere in
particular."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENTRIES = re.split(r"\n(?=[a-z0-9])", LOCK)[1:]
PINS = [Requirement(entry.split("\\", 1)[0].strip()) for entry in ENTRIES]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def asked() -> list[Requirement]:
    """What pyproject.toml asks for, to run, test and build the project."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = document["project"]
    texts = [
        *project["dependencies"],
        *project["optional-dependencies"]["test"],
        *document["build-system"]["requires"],
    ]
    return [Requirement(text) for text in texts]


def holds(requirement: Requirement, python: str, system: str) -> bool:
    given = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": system,
    }
    return requirement.marker is None or requirement.marker.evaluate(given)


def version_of(pin: Requirement) -> str:
    (one,) = pin.specifier
    return one.version


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("python", PYTHONS)
def test_everything_that_is_asked_for_is_pinned_once(python: str, system: str) -> None:
    """A range that was changed without `make lock` is found here."""
    pins = [pin for pin in PINS if holds(pin, python, system)]
    versions = {pin.name: version_of(pin) for pin in pins}
    assert len(versions) == len(pins)
    for one in asked():
        if holds(one, python, system):
            assert one.specifier.contains(versions[canonicalize_name(one.name)]), one


def test_every_pin_is_exact_and_has_hashes() -> None:
    for entry, pin in zip(ENTRIES, PINS, strict=True):
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}", entry), pin
        assert [one.operator for one in pin.specifier] == ["=="], pin
        assert pin.url is None


def test_no_place_is_named_where_packages_come_from() -> None:
    assert "://" not in LOCK
    options = set(re.findall(r"^\s*(--?[a-z-]+)", LOCK, re.MULTILINE))
    assert options == {"--hash"}
