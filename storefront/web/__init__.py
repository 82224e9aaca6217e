"""The shop over HTTP: each view parses what was sent, calls one service and renders the answer.

Nothing here decides about stock or money, and nothing touches Redis or Stripe.
"""
