"""Wire formats: pure translation between our requests and each vendor's."""
