"""Imported models on a device: their image, and cases that go through it, each held
against the numpy twin."""
