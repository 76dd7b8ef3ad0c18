"""What the product does, without knowing any vendor or protocol."""
