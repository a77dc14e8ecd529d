"""What stands on a desk: getting at a board, flashing it, its power, whose it is."""
