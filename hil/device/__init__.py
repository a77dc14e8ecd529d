"""A device as the host sees it, and the line to it."""
