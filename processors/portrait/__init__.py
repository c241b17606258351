"""What customers are: definitions compiled from their trees, and evaluated on facts. Pure."""
