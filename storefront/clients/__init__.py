"""The outside world: Stripe and the mail server. Each module is the only one that knows its protocol."""
