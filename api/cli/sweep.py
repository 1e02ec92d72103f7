"""The command that divides streets to be swept among teams."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.cli.output import require_outputs, say_refused
from api.cli.session import (
    EXIT_REFUSED,
    Datum,
    Day,
    Drop,
    Lang,
    ShiftClock,
    open_session,
    read_day,
    say_paths,
)
from api.cli.sweep_ask import Asked, City, Files, choose, classes, listed, mode_of, open_city, pose
from api.cli.sweep_report import Made, second_of
from api.console import stop_on_interrupt
from api.i18n import both, text
from geo.errors import CheckFailed

if TYPE_CHECKING:
    from api.cli.session import Session
    from geo.progress import Progress, StopToken
    from routing.model import Shift
    from routing.sweep import SweepProblem
    from routing.sweep.plan import SweepPlan

commands = typer.Typer()

PAGES: Final = (".html",)

LARGE: Final = 400
"""Streets above which dividing them takes so long that it is said before."""

LINE_SECONDS: Final = 15.0
"""Seconds between two lines of progress."""

MaybeFile = Path | None


@commands.command(help=both("cli.sweep"))
def sweep(
    roads: Annotated[Path, typer.Argument(help=both("cli.sweep.roads"))],
    stations: Annotated[Path, typer.Option(help=both("cli.sweep.stations"))],
    out: Annotated[Path, typer.Option(help=both("cli.sweep.out"))],
    teams: Annotated[int, typer.Option(min=1, max=99, help=both("cli.sweep.teams"))] = 1,
    begin_at: Annotated[str, typer.Option("--from", help=both("cli.sweep.from"))] = "",
    mode: Annotated[str, typer.Option(help=both("cli.sweep.mode"))] = "foot",
    cells: Annotated[MaybeFile, typer.Option(help=both("cli.sweep.cells"))] = None,
    grid: Annotated[str, typer.Option(help=both("cli.sweep.grid"))] = "",
    street_class: Annotated[str, typer.Option("--class", help=both("cli.sweep.class"))] = "",
    street: Annotated[str, typer.Option(help=both("cli.sweep.street"))] = "",
    assets: Annotated[MaybeFile, typer.Option(help=both("cli.sweep.assets"))] = None,
    reaches: Annotated[MaybeFile, typer.Option(help=both("cli.sweep.reaches"))] = None,
    beside: Annotated[float, typer.Option(min=1, help=both("cli.sweep.beside"))] = 60.0,
    is_both: Annotated[bool, typer.Option("--both-sides", help=both("cli.sweep.both"))] = False,
    doors: Annotated[MaybeFile, typer.Option(help=both("cli.sweep.doors"))] = None,
    door_seconds: Annotated[int, typer.Option(min=0, help=both("cli.sweep.door_seconds"))] = 60,
    left: Annotated[MaybeFile, typer.Option(help=both("cli.sweep.left"))] = None,
    page: Annotated[MaybeFile, typer.Option(help=both("cli.sweep.page"))] = None,
    posts: Annotated[MaybeFile, typer.Option(help=both("cli.sweep.posts"))] = None,
    begin: Annotated[str, typer.Option("--begin", help=both("cli.sweep.begin"))] = "",
    label: Annotated[str, typer.Option(help=both("cli.sweep.label"))] = "扫街",
    shift: ShiftClock = "20:00-02:00",
    day: Day = None,
    epsg: Annotated[int | None, typer.Option(help=both("cli.option.epsg"))] = None,
    datum: Datum = "WGS-84",
    drop: Drop = "",
    lang: Lang = None,
) -> None:
    """Divide the streets to be swept among teams."""
    with (
        open_session(lang) as session,
        stop_on_interrupt(text("cli.stopping", session.lang)) as stop,
    ):
        from geo.io.export import SHAPES, SUFFIXES  # noqa: PLC0415  heavy: loaded by its command only
        from routing.pipeline import shift_from  # noqa: PLC0415

        require_outputs(
            {"--out": out, "--left": left, "--posts": posts, "--page": page},
            suffixes={"--out": SHAPES, "--left": SHAPES, "--posts": SUFFIXES, "--page": PAGES},
            inputs=(roads, stations, cells, assets, reaches, doors),
        )
        night = shift_from(read_day(day), shift)
        second = second_of(night, begin)
        files = Files(session, datum=datum, drop=drop)
        city = open_city(files, roads, stations, mode_of(mode), night, epsg=epsg)
        asked = Asked(
            cells=cells,
            grids=listed(grid),
            classes=classes(street_class),
            names=listed(street),
            assets=assets,
            reaches=reaches,
            beside=beside,
        )
        is_chosen = choose(files, city, asked)
        problem = pose(files, city, is_chosen, doors, door_seconds, is_both=is_both)
        chosen = city.teams_from(listed(begin_at), teams, is_chosen)
        n_asked = int((problem.passes > 0).sum())
        if n_asked > LARGE:
            session.say("sweep.large", n=f"{n_asked:,}", teams=teams)
        with session.steps.step("sweep") as progress, in_lines(session, progress) as told:
            plan = divided(problem, city, chosen, night, told, stop)
        made = Made(files, city, problem, plan, chosen)
        made.say()
        paths = made.write(out, left, page)
        if posts is not None:
            paths += made.write_posts(posts, second, label)
        say_refused(session, files.refused, beside=out)
        say_paths(session, paths)
        if files.refused or plan.left_out:
            raise typer.Exit(EXIT_REFUSED)


@contextmanager
def in_lines(session: "Session", progress: "Progress") -> Iterator["Progress"]:
    """Yield progress that also prints a line now and then where no bar can be shown.

    By a clock of its own: one tour of many streets takes a while without a word.
    """
    began, is_over, share = time.monotonic(), threading.Event(), 0.0

    def report(done: int, total: int, best: float | None = None) -> None:
        nonlocal share
        share = done / max(total, 1)
        progress(done, total, best)

    def tell() -> None:
        while not is_over.wait(LINE_SECONDS):
            words = {"percent": f"{share:.0%}", "seconds": f"{time.monotonic() - began:.0f}"}
            session.err.print("  · " + text("sweep.progress", session.lang, **words), markup=False)

    clock = threading.Thread(target=tell, daemon=True)
    if not session.err.is_terminal:
        clock.start()
    try:
        yield report
    finally:
        is_over.set()
        if clock.is_alive():
            clock.join()


def divided(
    problem: "SweepProblem",
    city: City,
    rows: list[int],
    night: "Shift",
    progress: "Progress",
    stop: "StopToken",
) -> "SweepPlan":
    """Divide the sweep and have it checked.

    Raises
    ------
    CheckFailed
        The verifier refuses it: a defect of ours, never shown as a plan.
    """
    from routing.check.sweep_teams import check_sweep_plan  # noqa: PLC0415
    from routing.sweep.teams import split_among_teams  # noqa: PLC0415

    nodes = [int(city.node[row]) for row in rows]
    plan = split_among_teams(
        problem, nodes, shift_length=night.length, progress=progress, stop=stop
    )
    faults = check_sweep_plan(problem, plan, nodes)
    if faults:
        raise CheckFailed(n=len(faults), first=faults[0])
    return plan
