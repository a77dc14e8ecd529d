"""The memory bill, for inference and every rule side by side (docs/memory.md)."""
