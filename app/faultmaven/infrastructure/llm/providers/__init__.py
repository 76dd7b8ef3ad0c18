"""The vendors: one small class each, and the registry that configures them."""
