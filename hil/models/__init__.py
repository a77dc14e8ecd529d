"""Models that were trained elsewhere: their files, and what is in them."""
