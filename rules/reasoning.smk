"""Chains of thought: every problem in the lines of a design, and the finite structures that a model can memorise."""


rule catalog:
    input:
        code=code("catalog"),
    output:
        ensure("<results>/catalogs/{kind}.parquet", non_empty=True),
    log:
        "<results>/logs/catalog/{kind}.log",
    benchmark:
        "<results>/benchmarks/catalog/{kind}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=4000,
    shell:
        "python {input.code[0]} --kind {wildcards.kind} --out {output} 2> {log}"


rule render:
    input:
        code=lambda wildcards: code("render", family=wildcards.family, design=wildcards.design),
        puzzles="<results>/puzzles/{family}/{split}.parquet",
        solutions="<results>/solutions/{family}/{split}.parquet",
    output:
        ensure(
            "<results>/texts/{family}/{design}/reveal-{reveal}/{corruption}/{split}.parquet",
            non_empty=True,
        ),
    log:
        "<results>/logs/render/{family}/{design}/reveal-{reveal}/{corruption}/{split}.log",
    benchmark:
        "<results>/benchmarks/render/{family}/{design}/reveal-{reveal}/{corruption}/{split}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        thought=config["thought"],
        seed=config["seed"],
    shell:
        "python {input.code[0]} --puzzles {input.puzzles} --solutions {input.solutions} --family {wildcards.family}"
        " --design {wildcards.design} --reveal {wildcards.reveal} --corruption {wildcards.corruption}"
        " --thought {params.thought} --seed {params.seed} --out {output} 2> {log}"


rule drills:
    input:
        code=code("drills"),
    output:
        ensure("<results>/drills/{family}.parquet", non_empty=True),
    log:
        "<results>/logs/drills/{family}.log",
    benchmark:
        "<results>/benchmarks/drills/{family}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        n=lab.most_drills,
        seed=config["seed"],
    shell:
        "python {input.code[0]} --family {wildcards.family} --n {params.n} --seed {params.seed} --out {output} 2> {log}"


rule closure:
    input:
        code=lambda wildcards: code("closure", family=wildcards.family),
        puzzles="<results>/puzzles/{family}/{split}.parquet",
    output:
        ensure("<results>/closures/{family}/{split}.parquet", non_empty=True),
    log:
        "<results>/logs/closure/{family}/{split}.log",
    benchmark:
        "<results>/benchmarks/closure/{family}/{split}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        seed=config["seed"],
        orders=lab.orders,
    shell:
        "python {input.code[0]} --puzzles {input.puzzles} --seed {params.seed} --orders {params.orders}"
        " --out {output} 2> {log}"


rule hypotheses:
    input:
        code=lambda wildcards: code("hypotheses", family=wildcards.family),
        puzzles="<results>/puzzles/{family}/{split}.parquet",
        solutions="<results>/solutions/{family}/{split}.parquet",
        prior="<results>/priors/{family}.json",
    output:
        ensure("<results>/hypotheses/{family}/{split}.parquet", non_empty=True),
    log:
        "<results>/logs/hypotheses/{family}/{split}.log",
    benchmark:
        "<results>/benchmarks/hypotheses/{family}/{split}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --puzzles {input.puzzles} --solutions {input.solutions} --prior {input.prior}"
        " --out {output} 2> {log}"


rule screen:
    input:
        code=lambda wildcards: code("screen", family=wildcards.family, design=wildcards.design),
        texts="<results>/texts/{family}/{design}/reveal-{reveal}/none/train.parquet",
        puzzles="<results>/puzzles/{family}/train.parquet",
    output:
        ensure(
            "<results>/screens/{family}/{design}/reveal-{reveal}.parquet",
            non_empty=True,
        ),
    log:
        "<results>/logs/screen/{family}/{design}/reveal-{reveal}.log",
    benchmark:
        "<results>/benchmarks/screen/{family}/{design}/reveal-{reveal}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --texts {input.texts} --puzzles {input.puzzles} --out {output} 2> {log}"


rule shortcuts:
    input:
        code=lambda wildcards: code("shortcuts", family=wildcards.family, design=wildcards.design),
        texts="<results>/texts/{family}/{design}/reveal-{reveal}/none/train.parquet",
        puzzles="<results>/puzzles/{family}/train.parquet",
    output:
        ensure("<results>/shortcuts/{family}/{design}/reveal-{reveal}.parquet", non_empty=True),
    log:
        "<results>/logs/shortcuts/{family}/{design}/reveal-{reveal}.log",
    benchmark:
        "<results>/benchmarks/shortcuts/{family}/{design}/reveal-{reveal}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --texts {input.texts} --puzzles {input.puzzles} --out {output} 2> {log}"


rule gallery:
    input:
        code=code_of_designs("gallery", lab.families),
        puzzles=collect("<results>/puzzles/{family}/test.parquet", family=lab.families),
        solutions=collect("<results>/solutions/{family}/test.parquet", family=lab.families),
    output:
        report(
            "<results>/gallery/index.html",
            category="Designs",
            caption="captions/gallery.rst",
            labels={"page": "one row in every design"},
        ),
    log:
        "<results>/logs/gallery.log",
    benchmark:
        "<results>/benchmarks/gallery.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        thought=config["thought"],
        seed=config["seed"],
    shell:
        "python {input.code[0]} --puzzles {input.puzzles} --solutions {input.solutions} --reveals 0 5 5-given 10 slate-2 slate-8-given"
        " --thought {params.thought} --seed {params.seed} --out {output} 2> {log}"


rule compare:
    input:
        code=code("compare"),
        screens=[
            f"<results>/screens/{family}/{design}/reveal-{DESIGNS[family, design].shows[0]}.parquet"
            for family, design in sorted(DESIGNS)
            if family in lab.families
        ],
        published=here("config/published.csv"),
    output:
        report(
            "<results>/compare/designs.html",
            category="Designs",
            caption="captions/compare.rst",
            labels={"table": "all designs before training"},
        ),
        "<results>/compare/designs.csv",
        "<results>/compare/designs.parquet",
    log:
        "<results>/logs/compare.log",
    benchmark:
        "<results>/benchmarks/compare.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        out=subpath(output[0], parent=True),
    shell:
        "python {input.code[0]} --screens {input.screens} --published {input.published} --out {params.out} 2> {log}"
