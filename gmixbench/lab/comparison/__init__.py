"""Two or more variants measured against each other, in blocks of fresh processes."""
