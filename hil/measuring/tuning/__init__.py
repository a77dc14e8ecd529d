"""How a step is computed, and why: `hil kernels --explain`, `hil tune`."""
