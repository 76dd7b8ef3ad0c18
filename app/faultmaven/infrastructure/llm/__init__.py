"""Providers, their wire formats, and the chain over them."""
