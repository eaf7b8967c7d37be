"""Neural architecture search under a latency budget."""
