"""What Snakemake asks before anything runs: the checked configuration, and the files that each job needs. No torch."""
