"""OpenAI's protocol, so that its clients work by changing their base URL."""
