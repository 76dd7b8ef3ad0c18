"""Anthropic's protocol: ``/v1/messages``, for clients that speak to Claude."""
