"""The command line: each command hands over to one function of the package."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from facility_coverage import __version__
from facility_coverage.errors import StudyError

# Rooms are imported inside the commands: `--help` answers before geopandas would be loaded.
app = typer.Typer(
    name="facility-coverage",
    help="Who reaches which public facility within fifteen minutes, town by town, as maps that open offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

GATE = 1
BAD_INPUT = 2
SOME_FAILED = 3
INTERRUPTED = 130

AllowOutside = Annotated[
    bool, typer.Option("--allow-outside", help="Let the study name files and folders outside its own folder.")
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"facility-coverage {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Take the options that belong to no command."""


@app.command()
def run(  # noqa: PLR0913 - its options are its parameters
    config: Annotated[Path, typer.Argument(help="The study's YAML file.")],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Result folder (default: maps/<study>/).")
    ] = None,
    lang: Annotated[
        Literal["zh", "en"] | None, typer.Option(help="Language of the map (default: the study's).")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads (default: one per core); results do not depend on it.")
    ] = None,
    state: Annotated[str, typer.Option(help="One of the study's states (default: the study as written).")] = "",
    require_met: Annotated[
        str,
        typer.Option(help="End with code 1 unless these goals are met: binding, expected, all, or ids with commas."),
    ] = "",
    allow_outside: AllowOutside = False,
) -> None:
    """Run one study and write its map and tables."""
    import numba  # noqa: PLC0415 (see top)

    from facility_coverage.analysis.gate import gate_goals, not_met  # noqa: PLC0415 (see top)
    from facility_coverage.config.reading import load_study  # noqa: PLC0415 (see top)
    from facility_coverage.running import run_study  # noqa: PLC0415 (see top)
    from facility_coverage.study import cut_off, left_out  # noqa: PLC0415 (see top)

    begin = time.perf_counter()
    loaded = load_study(config, allow_outside=allow_outside)
    asked, gate = loaded.config, gate_goals(require_met, loaded.plans, file=str(config))
    name = f"{asked.id}_{state}" if state else asked.id
    default = config.parent / asked.outputs.folder if asked.outputs.folder and not state else Path("maps") / name
    cores = min(threads or os.cpu_count() or 1, numba.get_num_threads())
    numba.set_num_threads(cores)
    with _progress() as say:
        result = run_study(
            config,
            folder=output or default,
            state=state,
            lang=lang,
            threads=cores,
            allow_outside=allow_outside,
            progress=say,
        )
    for sentence in (*left_out(result.computed), *cut_off(result.computed), *result.remarks):
        typer.echo(sentence, err=True)
    typer.echo(f"done in {time.perf_counter() - begin:.1f} s, run {result.identity}", err=True)
    typer.echo(str(result.folder / "map.html"))
    failed = not_met(result.computed.verdicts, gate)
    for verdict in failed:
        figure = "no data" if verdict.value is None else f"{verdict.value:.6g}"
        typer.echo(f"{verdict.goal_id} is not met: {verdict.status}, {figure} for {verdict.target:g}", err=True)
    if failed:
        raise typer.Exit(GATE)


@app.command()
def batch(  # noqa: PLR0913, PLR0917 - its options are its parameters
    config: Annotated[Path, typer.Argument(help="The batch's YAML file.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder of all results (default: maps/<batch>/).")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Studies at once (default: the batch's, or one per core).")
    ] = None,
    memory_mb: Annotated[
        float | None, typer.Option(min=0, help="Memory to be free before a study is started (default: the batch's).")
    ] = None,
    lang: Annotated[
        Literal["zh", "en"] | None, typer.Option(help="Language of all outputs (default: the studies', the batch's).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip studies whose results are there and would come out the same.")
    ] = False,
    allow_outside: AllowOutside = False,
) -> None:
    """Run many studies, each in a process of its own, and write an index of their verdicts."""
    from facility_coverage.batching.batch import Asked, run_batch  # noqa: PLC0415 (see top)
    from facility_coverage.batching.progress import lines, reporting  # noqa: PLC0415 (see top)

    begin = time.perf_counter()
    asked = Asked(output, workers, memory_mb, lang, resume, allow_outside)
    with reporting(sys.stderr, lambda line: typer.echo(line, err=True)) as reporter:
        result = run_batch(config, asked=asked, reporter=reporter)
    for line in lines(result.outcomes, lang=result.lang):
        typer.echo(line)
    typer.echo(f"done in {time.perf_counter() - begin:.1f} s", err=True)
    typer.echo(str(result.folder / "index.html"))
    if result.stopped:
        typer.echo("stopped; go on with --resume", err=True)
        raise typer.Exit(INTERRUPTED)
    if any(outcome.ending == "failed" for outcome in result.outcomes):
        raise typer.Exit(SOME_FAILED)


@app.command()
def check(
    config: Annotated[Path, typer.Argument(help="The study's YAML file.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for check.html and check.json (default: none).")
    ] = None,
    lang: Annotated[Literal["zh", "en"] | None, typer.Option(help="Language (default: the study's).")] = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Look for what is wrong with a study's data; nothing is computed or changed."""
    from facility_coverage.checking import check_study  # noqa: PLC0415 (see top)
    from facility_coverage.config.reading import load_study  # noqa: PLC0415 (see top)
    from facility_coverage.outputs.checkup import lines  # noqa: PLC0415 (see top)

    language = lang or load_study(config, allow_outside=allow_outside).config.lang
    with _progress() as say:
        checkup = check_study(config, folder=output, lang=language, allow_outside=allow_outside, progress=say)
    for line in lines(checkup, lang=language):
        typer.echo(line)
    if output is not None:
        typer.echo(str(output / "check.html"))
    if checkup.counts["error"]:
        raise typer.Exit(BAD_INPUT)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(help="A study, a state of it (study.yaml@y2020), or a result folder.")],
    second: Annotated[str, typer.Argument(help="What it is compared with.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for compare.csv, compare.json and map.html (default: none)."),
    ] = None,
    lang: Annotated[Literal["zh", "en"] | None, typer.Option(help="Language (default: the study's).")] = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Say how every verdict changed between two states, and what changed it."""
    from facility_coverage.comparing import compare_studies  # noqa: PLC0415 (see top)
    from facility_coverage.outputs.comparison import lines  # noqa: PLC0415 (see top)

    with _progress() as say:
        result = compare_studies(first, second, folder=output, lang=lang, allow_outside=allow_outside, progress=say)
    for line in lines(result.table, lang=lang or result.lang):
        typer.echo(line)
    if output is not None:
        typer.echo(str(output / "compare.csv"))
    for remark in result.remarks:
        typer.echo(remark, err=True)


@app.command()
def site(  # noqa: PLR0913 - its options are its parameters
    config: Annotated[Path, typer.Argument(help="The study's YAML file.")],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Result folder (default: maps/<study>-sites/).")
    ] = None,
    lang: Annotated[Literal["zh", "en"] | None, typer.Option(help="Language (default: the study's).")] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads (default: one per core); results do not depend on it.")
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(help="Facility layer to build for; with any of these options the study's own siting is left out."),
    ] = None,
    sites: Annotated[int | None, typer.Option(min=1, help="How many sites to open (default: 5).")] = None,
    spacing_m: Annotated[
        float | None, typer.Option(help="Junctions are candidates, one per square of this side (default: 400).")
    ] = None,
    problem: Annotated[
        str | None, typer.Option(help="mclp (default), lscp, backup, p_median, p_center: see the documentation.")
    ] = None,
    tier: Annotated[str | None, typer.Option(help="Tier of the new facilities.")] = None,
    capacity: Annotated[
        list[str] | None, typer.Option(help="What a new facility holds, e.g. beds=30; may be given several times.")
    ] = None,
    longest_min: Annotated[
        float | None, typer.Option(help="p_median, p_center: minutes up to which trips are looked for (default: 60).")
    ] = None,
    goal: Annotated[
        str | None, typer.Option(help="The fewest sites with which this goal of the plan is met (goal or plan:goal).")
    ] = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Propose where to build next, or how many sites meet a goal."""
    import numba  # noqa: PLC0415 (see top)

    from facility_coverage.config.asked_siting import Asked  # noqa: PLC0415 (see top)
    from facility_coverage.outputs.siting_lines import lines  # noqa: PLC0415 (see top)
    from facility_coverage.siting_run import run_siting  # noqa: PLC0415 (see top)

    begin = time.perf_counter()
    asked = Asked(layer, sites, spacing_m, problem, tier, goal, tuple(capacity or ()), longest_min)
    cores = min(threads or os.cpu_count() or 1, numba.get_num_threads())
    numba.set_num_threads(cores)
    with _progress() as say:
        result = run_siting(
            config, asked=asked, folder=output, lang=lang, threads=cores, allow_outside=allow_outside, progress=say
        )
    computed = result.computed
    after = computed.verdicts if computed.after is None else computed.after.verdicts
    for line in lines(computed.proposals, computed.layers, computed.verdicts, after, lang=result.lang):
        typer.echo(line)
    typer.echo(f"done in {time.perf_counter() - begin:.1f} s, run {result.identity}", err=True)
    typer.echo(str(result.folder / "sites.csv"))


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs, e.g. maps/yongchuan.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The page to write.")] = Path("report.html"),
    docx: Annotated[bool, typer.Option("--docx", help="Write the same as a Word document beside it.")] = False,
    lang: Annotated[Literal["zh", "en"] | None, typer.Option(help="Language (default: the first run's).")] = None,
) -> None:
    """Write a report with live maps, for the screen and for paper, of one finished run or several."""
    from facility_coverage.reporting import write_report  # noqa: PLC0415 (see top)

    with _progress() as say:
        written = write_report(runs, output, docx=docx, lang=lang, progress=say)
    for path in written:
        typer.echo(str(path))


@app.command()
def embed(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, e.g. maps/yongchuan.")],
    names: Annotated[list[str], typer.Argument(help="Ids of facility layers or goals.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for map-embed-<name>.html.")] = Path(),
) -> None:
    """Write small maps of single facility layers or goals, to stand within other pages."""
    from facility_coverage.outputs.embeds import embed_run  # noqa: PLC0415 (see top)

    for path in embed_run(run, names, output):
        typer.echo(str(path))


@app.command()
def download(  # noqa: PLR0913 - its options are its parameters
    place: Annotated[
        str | None, typer.Argument(help="Name of a place, or its OpenStreetMap id such as R2715968.")
    ] = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write; new, or empty.")],
    bbox: Annotated[str | None, typer.Option(help="A box instead: west,south,east,north in degrees.")] = None,
    boundary: Annotated[Path | None, typer.Option(help="A file of polygons instead.")] = None,
    kinds: Annotated[
        str, typer.Option(help="Kinds of facilities, with commas between.")
    ] = "elder_care,childcare,clinic,hospital",
    zones: Annotated[
        int | None, typer.Option(help="admin_level of the zones, in China 8 for towns (default: one zone).")
    ] = None,
    margin_m: Annotated[
        float | None, typer.Option(help="Metres beyond the boundary (default: the longest trip in 15 minutes).")
    ] = None,
    overpass_url: Annotated[
        str | None, typer.Option(envvar="FACILITY_COVERAGE_OVERPASS_URL", help="Overpass server.")
    ] = None,
    nominatim_url: Annotated[
        str | None, typer.Option(envvar="FACILITY_COVERAGE_NOMINATIM_URL", help="Nominatim server.")
    ] = None,
    contact: Annotated[
        str, typer.Option(envvar="FACILITY_COVERAGE_CONTACT", help="Your e-mail or page, told to the servers.")
    ] = "",
    timeout_s: Annotated[float, typer.Option(help="Seconds to wait for one answer.")] = 200.0,
    tries: Annotated[int, typer.Option(help="How often one request is made before giving up.")] = 5,
    piece_km2: Annotated[float, typer.Option(help="Larger areas are divided into pieces of this size.")] = 2500.0,
    refresh: Annotated[bool, typer.Option(help="Ask anew for what an earlier run has received.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier download.")] = False,
) -> None:
    """Download boundary, roads and facilities of a place from OpenStreetMap, with a study to start from."""
    from facility_coverage import downloading  # noqa: PLC0415 (see top)
    from facility_coverage.config.servers import NOMINATIM_URL, OVERPASS_URL, Servers  # noqa: PLC0415 (see top)

    asked = tuple(dict.fromkeys(kind.strip() for kind in kinds.split(",") if kind.strip()))
    wanted = downloading.Wanted(place, bbox, boundary, asked, zones, margin_m)
    servers = Servers(
        overpass_url or OVERPASS_URL, nominatim_url or NOMINATIM_URL, contact,
        timeout_s=timeout_s, tries=tries, piece_km2=piece_km2,
    )  # fmt: skip
    with _progress() as say:
        done = downloading.download(wanted, output, servers=servers, overwrite=overwrite, refresh=refresh, progress=say)
    for remark in done.remarks:
        typer.echo(remark, err=True)
    typer.echo(str(output / "study.yaml"))


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Where configs/ and layers/yongchuan/ are written.")],
    overwrite: Annotated[bool, typer.Option(help="Replace files that differ.")] = False,
) -> None:
    """Write the embedded sample: a synthetic district and its studies."""
    from facility_coverage.sample.writing import write_sample  # noqa: PLC0415 (see top)

    write_sample(folder, overwrite=overwrite)
    typer.echo(f"facility-coverage run {folder / 'configs' / 'yongchuan.yaml'}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a study, for editors."""
    from facility_coverage.config.reading import study_schema  # noqa: PLC0415 (see top)

    typer.echo(json.dumps(study_schema(), ensure_ascii=False, indent=2))


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Yield what announces a stage: one moving line on a terminal, plain lines elsewhere; never mixed with results."""
    if not sys.stderr.isatty():
        yield lambda stage: typer.echo(stage, err=True)
        return
    from rich.console import Console  # noqa: PLC0415 (see top)

    with Console(stderr=True).status("") as status:
        yield lambda stage: status.update(f"{stage} …")


def main() -> None:
    """Run the command line; bad input ends with its faults, one a line, and exit code 2."""
    try:
        app()
    except StudyError as error:
        for fault in error.faults:
            typer.echo(str(fault), err=True)
        count = len(error.faults)
        typer.echo(f"{count} fault{'s' if count != 1 else ''}; nothing was written", err=True)
        sys.exit(BAD_INPUT)
