"""One file per figure; see measuring/modules.py."""
