"""What things cost, whether promises hold, and what could keep a run from working."""
