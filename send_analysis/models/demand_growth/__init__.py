"""Why the number of plans grew, and whether an area differs."""
