"""Images read as machine code: instructions, calls, and how deep the stack gets."""
