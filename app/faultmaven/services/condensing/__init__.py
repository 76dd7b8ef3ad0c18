"""What a text that is too long for a model tells: analysed once, chosen from for each budget.

Everything here is pure, and linear in the length of the text.
"""

from faultmaven.services.condensing.condenser import Condenser, size_of

__all__ = ["Condenser", "size_of"]
