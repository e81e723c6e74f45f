"""What each completion is worth: the official and the strict grade, and the audit of every line."""


rule leaks:
    input:
        code=code("leaks"),
        corpus="<results>/corpora/{arm}/seed-{seed}.parquet",
        puzzles=lambda wildcards: lab.arm_puzzles(wildcards.arm, "train")
        + lab.arm_drills(wildcards.arm),
        held_out=lambda wildcards: lab.arm_puzzles(wildcards.arm, wildcards.eval_set),
    output:
        ensure("<results>/leaks/{arm}/seed-{seed}/{eval_set}.json", non_empty=True),
    log:
        "<results>/logs/leaks/{arm}/seed-{seed}/{eval_set}.log",
    benchmark:
        "<results>/benchmarks/leaks/{arm}/seed-{seed}/{eval_set}.jsonl"
    wildcard_constraints:
        eval_set="test|real",
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --corpus {input.corpus} --puzzles {input.puzzles} --held-out {input.held_out}"
        " --out {output} 2> {log}"


rule grade:
    input:
        code=code("grade"),
        completions="<results>/completions/{arm}/seed-{seed}/{decoder}/{eval_set}.parquet",
        leaks=branch(lab.is_held_out, then="<results>/leaks/{arm}/seed-{seed}/{eval_set}.json"),
    output:
        ensure("<results>/grades/{arm}/seed-{seed}/{decoder}/{eval_set}.parquet", non_empty=True),
    log:
        "<results>/logs/grade/{arm}/seed-{seed}/{decoder}/{eval_set}.log",
    benchmark:
        "<results>/benchmarks/grade/{arm}/seed-{seed}/{decoder}/{eval_set}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --completions {input.completions} --out {output} 2> {log}"


rule audit:
    input:
        code=lambda wildcards: code(
            "audit",
            family=lab.arms.at[wildcards.arm, "families"],
            design=lab.arms.at[wildcards.arm, "design"],
        ),
        completions="<results>/completions/{arm}/seed-{seed}/{decoder}/{eval_set}.parquet",
        puzzles=lambda wildcards: lab.arm_puzzles(wildcards.arm, wildcards.eval_set),
        solutions=lambda wildcards: lab.arm_puzzles(wildcards.arm, wildcards.eval_set, "solutions"),
        texts=lambda wildcards: lab.arm_texts(wildcards.arm, wildcards.eval_set),
        corpus="<results>/corpora/{arm}/seed-{seed}.parquet",
    output:
        multiext(
            "<results>/audits/{arm}/seed-{seed}/{decoder}/{eval_set}",
            lines=".parquet",
            rows=".rows.parquet",
            kinds=".kinds.parquet",
        ),
    log:
        "<results>/logs/audit/{arm}/seed-{seed}/{decoder}/{eval_set}.log",
    benchmark:
        "<results>/benchmarks/audit/{arm}/seed-{seed}/{decoder}/{eval_set}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=4000,
    shell:
        "python {input.code[0]} --completions {input.completions} --puzzles {input.puzzles}"
        " --solutions {input.solutions} --texts {input.texts} --corpus {input.corpus} --out {output.lines} --rows {output.rows} --kinds {output.kinds} 2> {log}"


rule harvest:
    input:
        code=lambda wildcards: code(
            "harvest", family=wildcards.family, design=lab.arms.at[wildcards.arm, "design"]
        ),
        completions="<results>/completions/{arm}/seed-{seed}/{decoder}/train.parquet",
        grades="<results>/grades/{arm}/seed-{seed}/{decoder}/train.parquet",
        audits="<results>/audits/{arm}/seed-{seed}/{decoder}/train.rows.parquet",
        texts=lambda wildcards: [
            path
            for path in lab.arm_texts(wildcards.arm, "train")
            if f"/{wildcards.family}/" in path
        ],
    output:
        ensure(
            "<results>/harvests/{arm}/seed-{seed}/{decoder}/{kept}/{family}.parquet",
            non_empty=True,
        ),
    log:
        "<results>/logs/harvest/{arm}/seed-{seed}/{decoder}/{kept}/{family}.log",
    benchmark:
        "<results>/benchmarks/harvest/{arm}/seed-{seed}/{decoder}/{kept}/{family}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        distinct=config["harvest"]["distinct"],
    shell:
        "python {input.code[0]} --completions {input.completions} --grades {input.grades} --audits {input.audits}"
        " --texts {input.texts} --keep {wildcards.kept} --distinct {params.distinct} --out {output} 2> {log}"
