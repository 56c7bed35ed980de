"""The small world: names drawn as pictograms."""
