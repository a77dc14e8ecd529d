"""The live view of a run that learns, for terminals (docs/live.md)."""
