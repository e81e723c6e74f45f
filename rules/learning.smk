# Snakemake runs a job again when one of its params changes, but not for params that are functions of `threads`.
# So `decides` holds the settings that change a result; `options` holds all of them and is a function of `threads`.
"""Training examples per arm, the backbones, one adapter per arm and seed, and what each adapter writes."""


rule corpus:
    input:
        code=lab.corpus_code,
        texts=lab.arm_rendered,
        harvests=lab.arm_harvests,
        puzzles=lambda wildcards: lab.arm_puzzles(wildcards.arm, "train"),
        held_out=lambda wildcards: lab.arm_puzzles(wildcards.arm, "test"),
        drills=lambda wildcards: lab.arm_drills(wildcards.arm),
    output:
        ensure("<results>/corpora/{arm}/seed-{seed}.parquet", non_empty=True),
    log:
        "<results>/logs/corpus/{arm}/seed-{seed}.log",
    benchmark:
        "<results>/benchmarks/corpus/{arm}/seed-{seed}.jsonl"
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=4000,
    params:
        n=lab.n_examples,
        selection=lambda wildcards: lab.arms.at[wildcards.arm, "selection"],
        rendered=lambda wildcards: lab.recipe_of(wildcards).get("rendered", 0),
        hint=lambda wildcards: lab.recipe_of(wildcards).get("hint", "none"),
        share=lambda wildcards: lab.recipe_of(wildcards).get("share", 0),
        unlearned=lambda wildcards: lab.recipe_of(wildcards).get("unlearned", "none"),
        weights=lambda wildcards: json.dumps(lab.recipe_of(wildcards).get("weights", {})),
        drills=lambda wildcards: lab.recipe_of(wildcards).get("drills", 0),
        seed=lab.rows_seed,
    shell:
        "python {input.code[0]} --texts {input.texts} --harvests {input.harvests} --rendered {params.rendered}"
        " --puzzles {input.puzzles} --held-out {input.held_out} --n {params.n} --selection {params.selection}"
        " --hint {params.hint} --share {params.share} --unlearned {params.unlearned} --weights {params.weights:q}"
        " --drills {input.drills} --n-drills {params.drills} --seed {params.seed} --out {output} 2> {log}"


rule backbone:
    input:
        code=code("backbone"),
        folder=lab.local_files,
    output:
        config="<results>/backbones/{backbone}/config.json",
        tokenizer="<results>/backbones/{backbone}/tokenizer.json",
        skills=ensure("<results>/backbones/{backbone}.skills.json", non_empty=True),
    log:
        "<results>/logs/backbone/{backbone}.log",
    benchmark:
        "<results>/benchmarks/backbone/{backbone}.jsonl"
    retries: 1
    conda:
        "../envs/gpu.yaml"
    threads: config["threads"]["backbone"]
    resources:
        gpu=lab.making_gpus,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: (
            attempt * (2880 if lab.backbones[wildcards.backbone].make else 120)
        ),
    params:
        options=lambda wildcards: json.dumps(lab.backbones[wildcards.backbone].source()),
        gpus=lab.making_gpus,
        phrases=lab.phrases,  # single tokens of the tokenizer, so that a new phrase is a new backbone
        state=f"results/{config['run']}/state/backbone/{{backbone}}",
        out=subpath(output.config, parent=True),
    shell:
        "python {input.code[0]} --options {params.options:q} --gpus {params.gpus} --threads {threads}"
        " --skills {output.skills} --state {params.state} --out {params.out} 2> {log}"


rule native_voice:
    input:
        code=code("native_voice"),
        texts="<results>/texts/{family}/{design}/reveal-{reveal}/none/train.parquet",
        backbone="<results>/backbones/{backbone}/config.json",
        skills="<results>/backbones/{backbone}.skills.json",
    output:
        ensure(
            "<results>/native_voice/{backbone}/{family}/{design}/reveal-{reveal}.parquet",
            non_empty=True,
        ),
    log:
        "<results>/logs/native_voice/{backbone}/{family}/{design}/reveal-{reveal}.log",
    benchmark:
        "<results>/benchmarks/native_voice/{backbone}/{family}/{design}/reveal-{reveal}.jsonl"
    conda:
        "../envs/gpu.yaml"
    threads: config["threads"]["sample"]
    resources:
        gpu=min(config["gpus"], 1),
        mem_mb=8000,
        runtime=60,
    params:
        gpus=min(config["gpus"], 1),
        decides=lambda wildcards: json.dumps(lab.backbones[wildcards.backbone].probes()),
        options=lambda wildcards, threads: lab.entry_of(wildcards.backbone),
        backbone=subpath(input.backbone, parent=True),
    shell:
        "python {input.code[0]} --texts {input.texts} --backbone {params.backbone} --backbone-options {params.options:q}"
        " --gpus {params.gpus} --threads {threads} --out {output} 2> {log}"


rule token_screen:
    input:
        code=code("token_screen"),
        texts=lambda wildcards: lab.arm_texts(wildcards.arm, "train"),
        backbone=lab.backbone_file,
    output:
        ensure("<results>/token_screens/{arm}.parquet", non_empty=True),
    log:
        "<results>/logs/token_screen/{arm}.log",
    benchmark:
        "<results>/benchmarks/token_screen/{arm}.jsonl"
    conda:
        "../envs/gpu.yaml"
    resources:
        mem_mb=2000,
    params:
        budget=lambda wildcards: lab.budget_of(wildcards.arm),
        backbone=subpath(input.backbone, parent=True),
    shell:
        "python {input.code[0]} --texts {input.texts} --backbone {params.backbone} --budget {params.budget}"
        " --out {output} 2> {log}"


rule train:
    input:
        code=lab.method_code,
        corpus="<results>/corpora/{arm}/seed-{seed}.parquet",
        backbone=lab.backbone_file,
        skills=lab.skills_file,
        start=lab.start_file,
        texts=branch(
            lab.is_judged,
            then=lambda wildcards: lab.arm_texts(wildcards.arm, "test"),
            otherwise=lambda wildcards: ancient(lab.arm_texts(wildcards.arm, "test")),
        ),
        judged=lab.judged_by,
        deepspeed=lab.deepspeed_of,
    output:
        multiext(
            "<results>/adapters/{arm}/seed-{seed}/",
            weights="adapter_model.safetensors",
            config="adapter_config.json",
            metrics="metrics.jsonl",
            provenance="provenance.json",
        ),
    log:
        "<results>/logs/train/{arm}/seed-{seed}.log",
    benchmark:
        "<results>/benchmarks/train/{arm}/seed-{seed}.jsonl"
    priority: lab.followers
    retries: 1
    conda:
        "../envs/gpu.yaml"
    threads: max(config["threads"]["train"], lab.ranks)
    resources:
        gpu=config["gpus"],
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        recipe=lambda wildcards: json.dumps(lab.recipe_of(wildcards)),
        start=lambda wildcards, input: f"--start {Path(input.start).parent}" if input.start else "",
        backbone=subpath(input.backbone, parent=True),
        decides=lambda wildcards: json.dumps(lab.backbone_of(wildcards).trains()),
        options=lab.arm_entry,
        ranks=lab.ranks,
        gpus=config["gpus"],
        state=f"results/{config['run']}/state/train/{{arm}}/seed-{{seed}}",
        out=subpath(output.weights, parent=True),
    shell:
        "python {input.code[0]} --corpus {input.corpus} --texts {input.texts} --puzzles {input.judged} --backbone {params.backbone} {params.start} --recipe {params.recipe:q}"
        " --backbone-options {params.options:q} --deepspeed {input.deepspeed} --seed {wildcards.seed}"
        " --ranks {params.ranks} --gpus {params.gpus} --threads {threads} --state {params.state} --out {params.out} 2> {log}"


rule probe:
    input:
        code=code("probe"),
        adapter="<results>/adapters/{arm}/seed-{seed}/adapter_model.safetensors",
        backbone=lab.backbone_file,
        skills=lab.skills_file,
        texts=lambda wildcards: lab.arm_texts(wildcards.arm, wildcards.eval_set),
    output:
        multiext(
            "<results>/probes/{arm}/seed-{seed}/{eval_set}",
            lines=".parquet",
            early=".early.parquet",
        ),
    log:
        "<results>/logs/probe/{arm}/seed-{seed}/{eval_set}.log",
    benchmark:
        "<results>/benchmarks/probe/{arm}/seed-{seed}/{eval_set}.jsonl"
    wildcard_constraints:
        eval_set="test|real",
    conda:
        "../envs/gpu.yaml"
    threads: config["threads"]["sample"]
    resources:
        gpu=min(config["gpus"], 1),
        mem_mb=8000,
        runtime=60,
    params:
        gpus=min(config["gpus"], 1),
        decides=lambda wildcards: json.dumps(lab.backbone_of(wildcards).probes()),
        options=lab.arm_entry,
        backbone=subpath(input.backbone, parent=True),
        adapter=subpath(input.adapter, parent=True),
    shell:
        "python {input.code[0]} --texts {input.texts} --backbone {params.backbone} --adapter {params.adapter}"
        " --backbone-options {params.options:q} --gpus {params.gpus} --threads {threads}"
        " --early {output.early} --out {output.lines} 2> {log}"


rule sample:
    input:
        code=lab.sampling_code,
        adapter=branch(
            lab.is_trained, then="<results>/adapters/{arm}/seed-{seed}/adapter_model.safetensors"
        ),
        corpus=branch(lab.is_trained, otherwise="<results>/corpora/{arm}/seed-{seed}.parquet"),
        backbone=branch(lab.is_here, then=lab.backbone_file),
        skills=branch(lab.is_here, then=lab.skills_file),
        texts=lambda wildcards: lab.arm_texts(wildcards.arm, wildcards.eval_set),
        puzzles=lab.tutored_by("puzzles"),
        solutions=lab.tutored_by("solutions"),
    output:
        ensure(
            "<results>/completions/{arm}/seed-{seed}/{decoder}/{eval_set}.parquet", non_empty=True
        ),
    log:
        "<results>/logs/sample/{arm}/seed-{seed}/{decoder}/{eval_set}.log",
    benchmark:
        "<results>/benchmarks/sample/{arm}/seed-{seed}/{decoder}/{eval_set}.jsonl"
    wildcard_constraints:
        decoder="|".join(name for name in lab.decoders if name not in lab.selections),
    # before arms that nobody waits for are trained: no long decoding is left for the end
    priority: 1
    conda:
        "../envs/gpu.yaml"
    threads: config["threads"]["sample"]
    resources:
        gpu=lab.decoding_gpus,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        decides=lambda wildcards: json.dumps(lab.answers_of(wildcards)),
        decoder=lambda wildcards, threads: json.dumps(lab.decoders[wildcards.decoder]),
        rows=lambda wildcards: config["harvest"]["rows"] if wildcards.eval_set == "train" else 0,
        options=lab.arm_entry,
        gpus=lab.decoding_gpus,
        state=f"results/{config['run']}/state/sample/{{arm}}/seed-{{seed}}/{{decoder}}/{{eval_set}}",
        who=lab.who,
    shell:
        "python {input.code[0]} --texts {input.texts} --puzzles {input.puzzles} --solutions {input.solutions}"
        " {params.who} --backbone-options {params.options:q}"
        " --decoder {params.decoder:q} --seed {wildcards.seed} --rows {params.rows} --gpus {params.gpus} --threads {threads}"
        " --state {params.state} --out {output} 2> {log}"


rule choose:
    input:
        code=lab.choosing_code,
        completions=lambda wildcards: "<results>/completions/{arm}/seed-{seed}/"
        f"{lab.decoders[wildcards.decoder]['of']}/{{eval_set}}.parquet",
    output:
        ensure(
            "<results>/completions/{arm}/seed-{seed}/{decoder}/{eval_set}.parquet", non_empty=True
        ),
    log:
        "<results>/logs/choose/{arm}/seed-{seed}/{decoder}/{eval_set}.log",
    benchmark:
        "<results>/benchmarks/choose/{arm}/seed-{seed}/{decoder}/{eval_set}.jsonl"
    wildcard_constraints:
        decoder="|".join(lab.selections) or "none",
    conda:
        "../envs/cpu.yaml"
    resources:
        mem_mb=2000,
    params:
        decoder=lambda wildcards: json.dumps(lab.decoders[wildcards.decoder]),
    shell:
        "python {input.code[0]} --completions {input.completions} --decoder {params.decoder:q} --out {output} 2> {log}"
