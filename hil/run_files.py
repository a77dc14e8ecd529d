"""What a run has left behind, read again: its record, and its lines a step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hil import record as records
from hil.errors import UsageError


def document(path: Path) -> dict[str, Any]:
    """A run.json or demo.json. Raises `UsageError`."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"{str(path.parent)!r} is no folder of a run or a demo: it has no {path.name}",
            "`hil run` prints the folder of its record, such as "
            "runs/20261126-014841-digits-dfa",
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no JSON"
        raise UsageError(f"record {str(path)!r} cannot be read: {reason}") from None
    if not isinstance(found, dict) or found.get("schema") != records.SCHEMA:
        raise UsageError(
            f"record {str(path)!r} is not of schema {records.SCHEMA}: expected what "
            "this version of hil writes"
        )
    return found


def steps(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of a run's metrics.jsonl one after another, for they may be many: none
    where there is no such file, and without the last one where a run that was killed
    has left half of it. Raises `UsageError`."""
    path = folder / records.METRICS
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            try:
                yield json.loads(line)
            except ValueError:
                if line.endswith("\n"):
                    raise UsageError(
                        f"{str(path)!r} cannot be read: line {number} is no JSON"
                    ) from None
