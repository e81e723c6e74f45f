"""What is said of traces: the audit, its own test by planted errors, screens, corruptions, closures, the gallery."""
