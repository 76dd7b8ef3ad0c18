"""The embedded model: its weights fetched and verified, its server supervised as a child."""
