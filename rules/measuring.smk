"""Tables and figures, one module each under measuring/, which says what it needs and brings its caption."""


rule table:
    input:
        unpack(lab.needs("table")),
        code=lab.module_code("table"),
    output:
        multiext("<results>/tables/{table}", csv=".csv", parquet=".parquet"),
        html=report(
            "<results>/tables/{table}.html",
            category="Tables",
            caption="captions/module.rst",
            labels={"table": "{table}"},
        ),
    log:
        "<results>/logs/table/{table}.log",
    benchmark:
        "<results>/benchmarks/table/{table}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=4000,
    params:
        caption=lab.caption("table"),
        results=subpath(output.html, ancestor=2),
        arms=config["arms"],
        eval_sets=lab.eval_sets,
        published=lab.artifacts.published,
        out=subpath(output.html, parent=True),
    shell:
        "python {input.code[0]} --name {wildcards.table} --results {params.results} --arms {params.arms:q}"
        " --eval-sets {params.eval_sets} --published {params.published} --out {params.out} 2> {log}"


rule figure:
    input:
        unpack(lab.needs("figure")),
        code=lab.module_code("figure"),
    output:
        png=report(
            "<results>/figures/{figure}.png",
            category="Figures",
            caption="captions/module.rst",
            labels={"figure": "{figure}"},
        ),
        pdf="<results>/figures/{figure}.pdf",
    log:
        "<results>/logs/figure/{figure}.log",
    benchmark:
        "<results>/benchmarks/figure/{figure}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        caption=lab.caption("figure"),
        results=subpath(output.png, ancestor=2),
        arms=config["arms"],
        eval_sets=lab.eval_sets,
        published=lab.artifacts.published,
    shell:
        "python {input.code[0]} --name {wildcards.figure} --results {params.results} --arms {params.arms:q}"
        " --eval-sets {params.eval_sets} --published {params.published} --out {output.png} {output.pdf}"
        " 2> {log}"


rule explorer:
    input:
        code=code("explorer"),
        page=[here(f"workflow_scripts/measuring/explorer/{name}") for name in PAGE],
        cells=sorted({file for cell in cells_of(lab.artifacts) for file in cell.files}),
        traces=collect(
            "<results>/traces/{trace}/{name}.parquet", trace=config["traces"], name=TRACE_FILES
        ),
    output:
        report(
            directory("<results>/explorer"),
            htmlindex="index.html",
            category="Explorer",
            caption="captions/explorer.rst",
            labels={"page": "every completion"},
        ),
    log:
        "<results>/logs/explorer.log",
    benchmark:
        "<results>/benchmarks/explorer.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=4000,
    params:
        results=subpath(output[0], parent=True),
        arms=config["arms"],
        eval_sets=lab.eval_sets,
        traces=lambda wildcards, input: sorted({str(Path(path).parent) for path in input.traces}),
    shell:
        "python {input.code[0]} --results {params.results} --arms {params.arms:q} --eval-sets {params.eval_sets}"
        " --traces {params.traces} --out {output} 2> {log}"
