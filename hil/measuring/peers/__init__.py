"""The same learning step in programs that others wrote, beside ours."""
