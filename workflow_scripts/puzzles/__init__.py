"""What a problem is: its families, the checker, real rows. `registry` gathers the families. Never imports torch."""
