"""What operators see: metrics and log lines made from attempts."""
