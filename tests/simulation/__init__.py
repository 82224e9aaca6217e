"""The shop in a town that goes wrong at random, from a seed: every promise is held after every step."""
