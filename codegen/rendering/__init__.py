"""Rendering: from a plan to C."""
