"""A pop-up shop that never sells a unit twice and never keeps money for goods it cannot give."""
