"""A package, so that `llm` means this folder and not the client library of that name."""
