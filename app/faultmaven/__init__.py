"""FaultMaven: an LLM gateway for troubleshooting."""
