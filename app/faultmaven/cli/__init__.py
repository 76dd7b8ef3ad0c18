"""The faultmaven command: one module per verb, no logic of its own."""
