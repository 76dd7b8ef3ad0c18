"""Large inputs by command: CPU, memory, and how long everybody else waits meanwhile."""
