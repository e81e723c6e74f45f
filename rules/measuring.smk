"""Tables and figures, each with a caption for the report."""

TABLES = ["accuracy", "sets", "paired", "solvers", "traces", "kinds", "runs"]


rule summarize:
    input:
        code=code("summarize"),
        arms=config["arms"],
        grades=graded("grades"),
        rows=graded("audits", ".rows.parquet"),
        kinds=graded("audits", ".kinds.parquet"),
        puzzles=collect(
            "<results>/puzzles/{family}/{eval_set}.parquet", family=families, eval_set=eval_sets
        ),
        solutions=collect(
            "<results>/solutions/{family}/{eval_set}.parquet", family=families, eval_set=eval_sets
        ),
        closures=collect(
            "<results>/closures/{family}/{eval_set}.parquet", family=with_key, eval_set=eval_sets
        ),
        forward=collect(
            "<results>/texts/{family}/forward/reveal-0/none/{eval_set}.parquet",
            family=with_forward,
            eval_set=eval_sets,
        ),
        metrics=collect(
            "<results>/adapters/{run[arm]}/seed-{run[seed]}/metrics.jsonl", run=trainings
        ),
        provenance=collect(
            "<results>/adapters/{run[arm]}/seed-{run[seed]}/provenance.json", run=trainings
        ),
    output:
        *[
            report(
                f"<results>/tables/{name}.html",
                category="Tables",
                caption="captions/tables.rst",
                labels={"table": name},
            )
            for name in TABLES
        ],
        *[f"<results>/tables/{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")],
    log:
        "<results>/logs/summarize.log",
    benchmark:
        "<results>/benchmarks/summarize.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        out=subpath(output[0], parent=True),
    shell:
        "python {input.code[0]} --grades {input.grades} --rows {input.rows} --kinds {input.kinds} --puzzles {input.puzzles}"
        " --solutions {input.solutions} --closures {input.closures} --forward {input.forward} --metrics {input.metrics}"
        " --arms {input.arms} --out {params.out} 2> {log}"


rule figure_frontier:
    input:
        code=code("figure_frontier"),
        accuracy="<results>/tables/accuracy.parquet",
        solvers="<results>/tables/solvers.parquet",
        published=here("config/published.csv"),
    output:
        png=report(
            "<results>/figures/frontier.png",
            category="Figures",
            caption="captions/frontier.rst",
            labels={"figure": "frontier"},
        ),
        pdf="<results>/figures/frontier.pdf",
    log:
        "<results>/logs/figure_frontier.log",
    benchmark:
        "<results>/benchmarks/figure_frontier.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --accuracy {input.accuracy} --solvers {input.solvers}"
        " --published {input.published} --out {output.png} {output.pdf} 2> {log}"


rule figure_designs:
    input:
        code=code("figure_designs"),
        accuracy="<results>/tables/accuracy.parquet",
        paired="<results>/tables/paired.parquet",
        published=here("config/published.csv"),
    output:
        png=report(
            "<results>/figures/designs.png",
            category="Figures",
            caption="captions/designs.rst",
            labels={"figure": "designs"},
        ),
        pdf="<results>/figures/designs.pdf",
    log:
        "<results>/logs/figure_designs.log",
    benchmark:
        "<results>/benchmarks/figure_designs.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --accuracy {input.accuracy} --paired {input.paired}"
        " --published {input.published} --out {output.png} {output.pdf} 2> {log}"


rule figure_reveal:
    input:
        code=code("figure_reveal"),
        accuracy="<results>/tables/accuracy.parquet",
        solvers="<results>/tables/solvers.parquet",
        published=here("config/published.csv"),
    output:
        png=report(
            "<results>/figures/reveal.png",
            category="Figures",
            caption="captions/reveal.rst",
            labels={"figure": "reveal"},
        ),
        pdf="<results>/figures/reveal.pdf",
    log:
        "<results>/logs/figure_reveal.log",
    benchmark:
        "<results>/benchmarks/figure_reveal.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --accuracy {input.accuracy} --solvers {input.solvers}"
        " --published {input.published} --out {output.png} {output.pdf} 2> {log}"


rule figure_runs:
    input:
        code=code("figure_runs"),
        runs="<results>/tables/runs.parquet",
    output:
        png=report(
            "<results>/figures/runs.png",
            category="Figures",
            caption="captions/runs.rst",
            labels={"figure": "runs"},
        ),
        pdf="<results>/figures/runs.pdf",
    log:
        "<results>/logs/figure_runs.log",
    benchmark:
        "<results>/benchmarks/figure_runs.jsonl"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    shell:
        "python {input.code[0]} --runs {input.runs} --out {output.png} {output.pdf} 2> {log}"
