"""Data sets, from files that nobody vouches for."""
