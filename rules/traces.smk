"""Texts from elsewhere, judged like an arm's own completions; and the training examples of an arm for other trainers."""


rule import_traces:
    input:
        code=code_of_designs("import_traces", FAMILIES),
        file=lambda wildcards: config["traces"][wildcards.trace],
        puzzles=collect(
            "<results>/puzzles/{family}/{split}.parquet",
            family=lab.families,
            split=["train", *lab.eval_sets],
        ),
    output:
        multiext(
            "<results>/traces/{trace}/",
            completions="completions.parquet",
            puzzles="puzzles.parquet",
            designs="designs.parquet",
        ),
    log:
        "<results>/logs/import_traces/{trace}.log",
    benchmark:
        "<results>/benchmarks/import_traces/{trace}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=4000,
    shell:
        "python {input.code[0]} --file {input.file:q} --puzzles {input.puzzles} --completions {output.completions}"
        " --out-puzzles {output.puzzles} --designs {output.designs} > {log} 2>&1"


use rule grade as grade_traces with:
    input:
        code=code("grade"),
        completions="<results>/traces/{trace}/completions.parquet",
    output:
        ensure("<results>/traces/{trace}/grades.parquet", non_empty=True),
    log:
        "<results>/logs/grade_traces/{trace}.log",
    benchmark:
        "<results>/benchmarks/grade_traces/{trace}.jsonl"


rule audit_traces:
    input:
        code=code_of_designs("audit", FAMILIES),
        completions="<results>/traces/{trace}/completions.parquet",
        puzzles="<results>/traces/{trace}/puzzles.parquet",
    output:
        multiext(
            "<results>/traces/{trace}/audit",
            lines=".parquet",
            rows=".rows.parquet",
            kinds=".kinds.parquet",
        ),
    log:
        "<results>/logs/audit_traces/{trace}.log",
    benchmark:
        "<results>/benchmarks/audit_traces/{trace}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=4000,
    shell:
        "python {input.code[0]} --completions {input.completions} --puzzles {input.puzzles} --out {output.lines}"
        " --rows {output.rows} --kinds {output.kinds} 2> {log}"


rule export_chats:
    input:
        code=code("export_chats"),
        corpus="<results>/corpora/{arm}/seed-{seed}.parquet",
    output:
        ensure("<results>/chats/{arm}/seed-{seed}.jsonl", non_empty=True),
    log:
        "<results>/logs/export_chats/{arm}/seed-{seed}.log",
    benchmark:
        "<results>/benchmarks/export_chats/{arm}/seed-{seed}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --corpus {input.corpus} --out {output} 2> {log}"
