"""The contracts between rooms, and the records that cross them."""
