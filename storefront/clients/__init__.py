"""The outside world: Stripe and the mail server. Each module alone knows its protocol."""
