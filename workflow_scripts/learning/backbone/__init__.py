"""How the small backbone is made: worksheets of primitive skills, a structured start, Muon, the long pretraining."""
