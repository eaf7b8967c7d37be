"""Which zero-cost scores vote in the predictor's prior."""

# One vote each. Complexity is the prior's own count of operations. Progressivity and synflow have none: they are shown
# to what learns from trained networks, which decides their worth. Votes for them lost 0.01 in tau on the half of
# NAS-Bench-201's classes that was for choosing.
VOTES = {
    "expressivity": 1.0,
    "progressivity": 0.0,
    "trainability": 1.0,
    "synflow": 0.0,
    "naswot": 1.0,
}
