from snakemake.utils import min_version

min_version("9.25")


configfile: f"{workflow.basedir}/config/default.yaml"


pathvars:
    results=f"results/{config['run']}",


include: "rules/common.smk"
include: "rules/puzzles.smk"
include: "rules/reasoning.smk"
include: "rules/learning.smk"
include: "rules/evaluate.smk"
include: "rules/traces.smk"
include: "rules/measuring.smk"
include: "rules/serving.smk"


onstart:
    keep_config(config, f"results/{config['run']}/config")
    be_brief(workflow, lab.work_of)
    # With a limit on jobs per second, Snakemake looks for work every second once more for each job that was started:
    # a quarter of a core after a hundred jobs.
    workflow.scheduler.job_rate_limiter = None


onsuccess:
    if said := where(f"results/{config['run']}"):
        print(said, file=sys.stderr)


onerror:
    print(f"What jobs said lies in results/{config['run']}/logs/", file=sys.stderr)


localrules:
    all,
    quick,
    figures,
    puzzles,
    texts,
    models,
    tokens,
    looks,
    estimate,


rule figures:
    input:
        collect("<results>/tables/{name}.html", name=names("table")),
        collect("<results>/figures/{name}.png", name=names("figure")),


rule all:
    default_target: True
    input:
        rules.figures.input,
        rules.fidelity.output if config["benchmark_csv"] else [],


rule quick:
    input:
        "<results>/figures/reveal.png",
        "<results>/tables/accuracy.html",


rule puzzles:
    input:
        collect(
            "<results>/solutions/{family}/{split}.parquet",
            family=lab.families,
            split=["train", *lab.eval_sets],
        ),


rule texts:
    input:
        collect("<results>/corpora/{run[arm]}/seed-{run[seed]}.parquet", run=lab.runs),


rule looks:
    input:
        lab.shortcut_screens,


rule tokens:
    input:
        collect(
            "<results>/token_screens/{arm}.parquet",
            arm=sorted({run["arm"] for run in lab.trainings}),
        ),


rule models:
    input:
        collect(
            "<results>/adapters/{run[arm]}/seed-{run[seed]}/adapter_model.safetensors",
            run=lab.trainings,
        ),
