"""What every room shares: errors with a place, tables on disk, the frame of a command-line script."""
