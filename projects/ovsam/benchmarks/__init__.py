"""Cost, time and memory of models, and methods side by side."""
