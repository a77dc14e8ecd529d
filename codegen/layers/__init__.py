"""Kinds of layers: how each goes from its input to its result."""
