"""The rooms that talk to the world outside the process."""
