"""What a maintainer reads of a comparison: in a terminal, a pull request, or on a page."""
