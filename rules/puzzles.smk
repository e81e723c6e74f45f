"""Problems of every family with hidden rules and answers, the priors fitted on them, and what the exact solvers find."""


rule generate:
    input:
        code=lambda wildcards: code("generate", family=wildcards.family),
    output:
        ensure("<results>/puzzles/{family}/{split}.parquet", non_empty=True),
    log:
        "<results>/logs/generate/{family}/{split}.log",
    benchmark:
        "<results>/benchmarks/generate/{family}/{split}.jsonl"
    wildcard_constraints:
        split="train|test",
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        n=lambda wildcards: lab.rows(wildcards.split, wildcards.family),
        seed=config["seed"],
        options=lambda wildcards: json.dumps(config["options"].get(wildcards.family, {})),
    shell:
        "python {input.code[0]} --family {wildcards.family} --split {wildcards.split} --n {params.n}"
        " --seed {params.seed} --options {params.options:q} --out {output} 2> {log}"


rule import_real:
    input:
        code=code("import_real", family=FAMILIES),
        csv=config["benchmark_csv"] or [],
    output:
        ensure("<results>/puzzles/{family}/real.parquet", non_empty=True),
    log:
        "<results>/logs/import_real/{family}.log",
    benchmark:
        "<results>/benchmarks/import_real/{family}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --csv {input.csv:q} --family {wildcards.family} --out {output} 2> {log}"


rule fit_prior:
    input:
        code=lambda wildcards: code("fit_prior", family=wildcards.family),
        puzzles="<results>/puzzles/{family}/train.parquet",
    output:
        ensure("<results>/priors/{family}.json", non_empty=True),
    log:
        "<results>/logs/fit_prior/{family}.log",
    benchmark:
        "<results>/benchmarks/fit_prior/{family}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --puzzles {input.puzzles} --family {wildcards.family} --out {output} 2> {log}"


rule solve:
    input:
        code=lambda wildcards: code("solve", family=wildcards.family),
        puzzles="<results>/puzzles/{family}/{split}.parquet",
        prior="<results>/priors/{family}.json",
    output:
        ensure("<results>/solutions/{family}/{split}.parquet", non_empty=True),
    log:
        "<results>/logs/solve/{family}/{split}.log",
    benchmark:
        "<results>/benchmarks/solve/{family}/{split}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --puzzles {input.puzzles} --family {wildcards.family} --prior {input.prior}"
        " --out {output} 2> {log}"


rule fidelity:
    input:
        code=code("fidelity", family=FAMILIES),
        csv=config["benchmark_csv"] or [],
    output:
        table="<results>/fidelity/statistics.parquet",
        text=report(
            "<results>/fidelity/statistics.txt",
            category="Puzzles",
            caption="captions/fidelity.rst",
            labels={"table": "generated against real rows"},
        ),
    log:
        "<results>/logs/fidelity.log",
    benchmark:
        "<results>/benchmarks/fidelity.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        seed=config["seed"],
    shell:
        "python {input.code[0]} --csv {input.csv:q} --seed {params.seed} --out {output.table} --report {output.text}"
        " > {log} 2>&1"
