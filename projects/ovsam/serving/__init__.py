"""What people annotate with: the page and the Label Studio backend."""
