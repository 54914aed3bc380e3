"""The harnesses as they ship."""
