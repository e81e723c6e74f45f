"""One folder per family: each file in it is a design; kinds of line and engines of the family are in subfolders."""
