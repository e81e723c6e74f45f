"""Lines declared once: written, read back and checked; the page that they fill; what a prompt shows; rows of texts."""
