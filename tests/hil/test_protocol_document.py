"""docs/protocol.md shows the bytes that the declaration has."""

from __future__ import annotations

from pathlib import Path

from hil.device import protocol_tables

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_the_tables_of_the_document_are_up_to_date() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert protocol_tables.insert(text) == text, (
        "run: python -m hil.device.protocol_tables"
    )
