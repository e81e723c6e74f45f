"""Adapters for others' servers, what is in them, whether engines agree, and what a run will need. On demand only."""


rule export:
    input:
        code=code("export"),
        adapter="<results>/adapters/{arm}/seed-{seed}/adapter_model.safetensors",
        backbone=lab.backbone_file,
        skills=lab.skills_file,
        texts="<results>/corpora/{arm}/seed-{seed}.parquet",
    output:
        multiext(
            "<results>/exports/{arm}/seed-{seed}/",
            weights="adapter_model.safetensors",
            config="adapter_config.json",
            archive="adapter.zip",
            report="export.json",
        ),
    log:
        "<results>/logs/export/{arm}/seed-{seed}.log",
    benchmark:
        "<results>/benchmarks/export/{arm}/seed-{seed}.jsonl"
    conda:
        "../envs/gpu.yaml"
    threads: config["threads"]["sample"]
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=120,
    params:
        decides=lambda wildcards: json.dumps(lab.backbone_of(wildcards).trains()),
        options=lab.arm_entry,
        adapter=subpath(input.adapter, parent=True),
        backbone=subpath(input.backbone, parent=True),
        out=subpath(output.weights, parent=True),
    shell:
        "python {input.code[0]} --adapter {params.adapter} --backbone {params.backbone} --texts {input.texts}"
        " --backbone-options {params.options:q} --threads {threads} --out {params.out} 2> {log}"


rule autopsy:
    input:
        code=code("autopsy"),
        adapter="<results>/adapters/{arm}/seed-{seed}/adapter_model.safetensors",
        backbone=lab.backbone_file,
        skills=lab.skills_file,
        texts="<results>/corpora/{arm}/seed-{seed}.parquet",
    output:
        ensure("<results>/autopsies/{arm}/seed-{seed}.parquet", non_empty=True),
    log:
        "<results>/logs/autopsy/{arm}/seed-{seed}.log",
    benchmark:
        "<results>/benchmarks/autopsy/{arm}/seed-{seed}.jsonl"
    conda:
        "../envs/gpu.yaml"
    threads: config["threads"]["sample"]
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=120,
    params:
        decides=lambda wildcards: json.dumps(lab.backbone_of(wildcards).trains()),
        options=lab.arm_entry,
        adapter=subpath(input.adapter, parent=True),
        backbone=subpath(input.backbone, parent=True),
    shell:
        "python {input.code[0]} --adapter {params.adapter} --backbone {params.backbone} --texts {input.texts}"
        " --backbone-options {params.options:q} --threads {threads} --out {output} 2> {log}"


rule parity:
    input:
        code=lambda wildcards: code("parity", more=lab.engine_files(wildcards)),
        adapter="<results>/adapters/{arm}/seed-{seed}/adapter_model.safetensors",
        backbone=lab.backbone_file,
        skills=lab.skills_file,
        texts=lambda wildcards: lab.arm_texts(wildcards.arm, wildcards.eval_set),
    output:
        "<results>/parity/{arm}/seed-{seed}/{eval_set}/{one}-{other}/parity.json",
    log:
        "<results>/logs/parity/{arm}/seed-{seed}/{eval_set}/{one}-{other}.log",
    benchmark:
        "<results>/benchmarks/parity/{arm}/seed-{seed}/{eval_set}/{one}-{other}.jsonl"
    wildcard_constraints:
        one="|".join(lab.engines),
        other="|".join(lab.engines),
    conda:
        "../envs/gpu.yaml"
    threads: config["threads"]["sample"]
    resources:
        gpu=min(config["gpus"], 1),
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        decides=lambda wildcards: json.dumps(lab.backbone_of(wildcards).answers()),
        options=lab.arm_entry,
        engines=lab.engine_options,
        decoding=f"--max-tokens {config['decoding']['max_tokens']} --batch {config['decoding']['batch']}",
        gpus=min(config["gpus"], 1),
        adapter=subpath(input.adapter, parent=True),
        backbone=subpath(input.backbone, parent=True),
        state=f"results/{config['run']}/state/parity/{{arm}}/seed-{{seed}}/{{eval_set}}/{{one}}-{{other}}",
        out=subpath(output[0], parent=True),
    shell:
        "python {input.code[0]} {params.engines} --adapter {params.adapter}"
        " --backbone {params.backbone} --backbone-options {params.options:q} --texts {input.texts} {params.decoding}"
        " --gpus {params.gpus} --threads {threads} --state {params.state} --out {params.out} 2> {log}"


# Without an output: it is told anew whenever it is asked for.
rule estimate:
    log:
        "<results>/logs/estimate.log",
    conda:
        "../envs/cpu.yaml"
    params:
        code=lambda wildcards: code("estimate")[0],
        arms=lambda wildcards: json.dumps(lab.estimated),
        backbones=lambda wildcards: json.dumps(dict(lab.entries)),
        recipes=lambda wildcards: json.dumps(dict(lab.recipes)),
        folders=lambda wildcards: json.dumps(
            {name: f"results/{config['run']}/backbones/{name}" for name in lab.backbones}
        ),
        card=config["card"],
        ranks=lab.ranks,
        decoding=f"--max-tokens {config['decoding']['max_tokens']} --batch {config['decoding']['batch']}",
    shell:
        "python {params.code} --arms {params.arms:q} --backbones {params.backbones:q} --recipes {params.recipes:q}"
        " --folders {params.folders:q} --gpu {params.card} --ranks {params.ranks} {params.decoding} 2> {log}"
