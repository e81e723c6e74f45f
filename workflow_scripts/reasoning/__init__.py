"""What a trace is: the line grammar, the designs, key reveal, corruption, audit and screens. Never imports torch."""
