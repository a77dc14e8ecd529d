"""What one learning step costs: `hil bench step` (docs/performance.md)."""
