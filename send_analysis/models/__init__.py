"""Models: tidy tables → result tables."""
