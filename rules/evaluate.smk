"""What each completion is worth: the official and the strict grade, and the audit of every line."""


rule grade:
    input:
        code=code("grade"),
        completions="<results>/completions/{arm}/seed-{seed}/{decoder}/{eval_set}.parquet",
    output:
        ensure("<results>/grades/{arm}/seed-{seed}/{decoder}/{eval_set}.parquet", non_empty=True),
    log:
        "<results>/logs/grade/{arm}/seed-{seed}/{decoder}/{eval_set}.log",
    benchmark:
        "<results>/benchmarks/grade/{arm}/seed-{seed}/{decoder}/{eval_set}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --completions {input.completions} --out {output} 2> {log}"


rule audit:
    input:
        code=lambda wildcards: code(
            "audit", family=arms.at[wildcards.arm, "families"], design=arms.at[wildcards.arm, "design"]
        ),
        completions="<results>/completions/{arm}/seed-{seed}/{decoder}/{eval_set}.parquet",
        puzzles=lambda wildcards: collect(
            "<results>/puzzles/{family}/{eval_set}.parquet",
            family=arms.at[wildcards.arm, "families"],
            eval_set=wildcards.eval_set,
        ),
    output:
        ensure("<results>/audits/{arm}/seed-{seed}/{decoder}/{eval_set}.parquet", non_empty=True),
    log:
        "<results>/logs/audit/{arm}/seed-{seed}/{decoder}/{eval_set}.log",
    benchmark:
        "<results>/benchmarks/audit/{arm}/seed-{seed}/{decoder}/{eval_set}.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --completions {input.completions} --puzzles {input.puzzles} --out {output} 2> {log}"
