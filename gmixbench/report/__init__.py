"""The page and its figures. They show what the ruler computed, and compute nothing."""
