"""What sums a customer's journey up."""
