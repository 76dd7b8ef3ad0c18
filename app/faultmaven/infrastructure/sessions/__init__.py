"""Conversations kept between requests."""
