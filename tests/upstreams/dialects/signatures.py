"""Proofs a vendor signs its model's thoughts with, and knows again when they come back."""

import base64
import binascii
import hashlib


def sign(vendor: str, text: str) -> str:
    """Sign a text: the same text has the same signature, another text another one."""
    digest = hashlib.sha256(f"{vendor}\0{text}".encode()).digest()
    return base64.b64encode(b"signed:" + digest).decode()


def is_signed(signature: str) -> bool:
    """Tell whether a text is any of our signatures."""
    try:
        return base64.b64decode(signature, validate=True).startswith(b"signed:")
    except binascii.Error:
        return False
