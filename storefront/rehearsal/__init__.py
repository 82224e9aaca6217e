"""A drop, played on this installation with a Stripe stand-in, under a shop id of its own."""
