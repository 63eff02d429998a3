"""What is asked of the read model."""
