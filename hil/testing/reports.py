"""What the pytest plugin reports: why a test on a device failed, and junit reports.

As `hil.pytest_plugin` it imports nothing but pytest before it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _pytest.junitxml import LogXML

    from hil.records.record import RunRecord

TARGET = "hil_target"
"""The property of a report that names its target."""
FOLDER = "hil_folder"
"""The property that names a run's folder, or that of a session with a device."""
SHOWN = 96
"""Bytes of a console's end that a failure report shows."""
_EVIDENCE = pytest.StashKey[list[tuple[Path, "RunRecord | None"]]]()


def leave(item: pytest.Item, folder: Path, record: RunRecord | None = None) -> None:
    """A test has made this folder; `record` when it is a run's."""
    item.stash.setdefault(_EVIDENCE, []).append((folder, record))
    item.user_properties.append((FOLDER, str(folder)))


def told(item: pytest.Item, error: BaseException) -> str:
    """What a failure report says of a test beside its traceback, "" for nothing."""
    lines = [f"hint: {hint}" for hint in getattr(error, "hints", ())]
    for folder, record in item.stash.get(_EVIDENCE, []):
        lines += _told(folder, record)
    return "\n".join(lines)


def _told(folder: Path, record: RunRecord | None) -> list[str]:
    """What is left of a run, or of a session with a device."""
    from hil.device.link.silence import hexdump
    from hil.records.record import CONSOLE
    from hil.records.verdict import verdict

    lines = [f"folder   {folder}"]
    if record is not None:
        lines.append(verdict(record))
        lines += [record.error["sentence"]] if record.error else []
        if record.result == "pass":
            return lines
    console = folder / CONSOLE
    if console.is_file() and (said := console.read_bytes()):
        lines.append(f"console  {hexdump(said, SHOWN)}")
        lines.append(f"`hil monitor {folder}` decodes it")
    return lines


class JunitByTarget:
    """A report of pytest's own writer for each target; a test without a target is in
    none of them."""

    def __init__(self, config: pytest.Config, names: Sequence[str]) -> None:
        self._config = config
        self._names = names
        self._logs: dict[str, LogXML] = {}

    def _log(self, target: str) -> LogXML:
        from _pytest.junitxml import LogXML

        if target not in self._logs:
            config, get = self._config, self._config.getini
            self._logs[target] = LogXML(
                str(Path(config.option.hil_junit) / f"junit-{target}.xml"),
                config.option.junitprefix,
                f"{get('junit_suite_name')}.{target}",
                get("junit_logging"),
                get("junit_duration_report"),
                get("junit_family"),
                get("junit_log_passing_tests"),
            )
            self._logs[target].pytest_sessionstart()
        return self._logs[target]

    def pytest_sessionstart(self) -> None:
        for name in self._names:
            self._log(name)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        target = dict(report.user_properties).get(TARGET)
        if target is not None:
            self._log(str(target)).pytest_runtest_logreport(report)

    def pytest_internalerror(self, excrepr: Any) -> None:
        for log in self._logs.values():
            log.pytest_internalerror(excrepr)

    def pytest_sessionfinish(self) -> None:
        for log in self._logs.values():
            log.pytest_sessionfinish()
