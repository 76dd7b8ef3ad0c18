"""Runbooks for common faults, and finding the one that fits a question or a log."""
