"""Decisions about time and repetition, with clock and randomness as arguments."""
