"""What a trace is: grammar/, designs/, judging/, auxiliary/. `registry` gathers the designs. Never imports torch."""
