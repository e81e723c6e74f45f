"""One file per table; see measuring/modules.py."""
