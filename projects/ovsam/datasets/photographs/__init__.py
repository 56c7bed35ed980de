"""What makes more of a few hundred photographs."""
