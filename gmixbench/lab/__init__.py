"""Where cases are run: data, starting points, processes, and the folder they leave."""
