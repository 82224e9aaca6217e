"""Stand-ins for the outside world that live in the test's own process."""
