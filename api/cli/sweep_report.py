"""A divided sweep as what is printed and written."""

from collections import Counter
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.cli.sweep_ask import METRES_PER_KM, City, Files
from api.i18n import text
from geo.errors import OptionInvalid
from geo.frames import Col
from geo.units import HOUR, MINUTE

if TYPE_CHECKING:
    from api.maps.theme import Said, TeamRound
    from routing.model import Shift
    from routing.sweep import SweepProblem
    from routing.sweep.plan import SweepPlan

HALF_HOUR: Final = HOUR // 2
DAY: Final = 24 * HOUR

LEAST_OVER: Final = 0.0005
"""Share above the yardstick that still rounds to a figure."""


class Made:
    """A divided sweep as what is printed and written."""

    def __init__(
        self,
        files: Files,
        city: City,
        problem: "SweepProblem",
        plan: "SweepPlan",
        rows: list[int],
    ) -> None:
        from routing.sweep.teams.legs import left_streets, sweep_legs  # noqa: PLC0415

        self.files, self.city, self.problem, self.plan = files, city, problem, plan
        self.homes = city.stations.iloc[rows].reset_index(drop=True)
        self.legs = sweep_legs(
            plan, problem, city.network, source=city.source, start=city.shift.start
        )
        self.left = left_streets(plan, city.network, source=city.source)

    def say(self) -> None:
        """Print each team's evening, what all of it rests on, and what is left out."""
        session, city = self.files.session, self.city
        for code, params in (*(self.evening(team) for team in self.teams), *self.figures):
            session.say(code, **params)
        self._say_left()
        session.say(
            "sweep.basis",
            mode=text(f"sweep.mode.{city.mode}", session.lang),
            version=city.network.profile.version,
            band=text(f"sweep.band.{city.band}", session.lang),
            day=city.day or text("sweep.day.unstated", session.lang),
        )

    @property
    def teams(self) -> range:
        """The teams' numbers."""
        return range(1, len(self.plan.routes) + 1)

    def evening(self, team: int) -> "Said":
        """Return what one team does, in one sentence."""
        from routing.sweep.plan import Cause  # noqa: PLC0415

        plan, start = self.plan, self.city.shift.start
        tour = plan.routes[team - 1]
        name = self.homes[Col.NAME].iloc[team - 1]
        if not len(tour.arcs):
            causes = {one.cause for one in plan.left_out} - {Cause.CLOSED}
            return f"sweep.team.{'cannot' if causes else 'idle'}", {"team": team, "name": name}
        own = self.legs[self.legs[Col.TEAM] == team]
        km = own.groupby(Col.IS_SERVICE)[Col.LENGTH].sum() / METRES_PER_KM
        end = start + timedelta(milliseconds=tour.milliseconds)
        return "sweep.team", {
            "team": team,
            "name": name,
            "start": f"{start:%H:%M}",
            "end": f"{end + timedelta(seconds=MINUTE - 1):%H:%M}",
            "clock": _clock(tour.milliseconds),
            "km": f"{km.get(True, 0.0):.1f}",
            "empty": f"{km.get(False, 0.0):.1f}",
            "percent": f"{tour.milliseconds / plan.shift_length / 10:.0f} %",
        }

    @property
    def figures(self) -> "tuple[Said, ...]":
        """What is swept, of what was asked, and how good it is; no yardstick for nothing swept."""
        plan = self.plan
        total = int((self.problem.passes > 0).sum())
        n = total - len({one.segment for one in plan.left_out})
        swept = {"n": f"{n:,}", "total": f"{total:,}"}
        if not plan.total:
            return (("sweep.summary.none", swept),)
        spent = {"clock": _clock(plan.total), "balance": f"{plan.balance:.2f}"}
        summary = ("sweep.summary", {**swept, **spent})
        over = f"{plan.over_bound:.1%}"
        if plan.over_bound < LEAST_OVER:
            return summary, ("sweep.yardstick.within", {})
        return summary, ("sweep.yardstick.over", {"over": over})

    def _say_left(self) -> None:
        session, total = self.files.session, int((self.problem.passes > 0).sum())
        causes = Counter(self.left[Col.REASON])
        if not causes:
            return
        why = [
            text("sweep.left.some", session.lang, n=n, cause=text(f"sweep.cause.{c}", session.lang))
            for c, n in sorted(causes.items())
        ]
        joined = text("sweep.comma", session.lang).join(why)
        session.say("sweep.left", n=len(self.left), total=f"{total:,}", why=joined)
        for cause in sorted(causes):
            session.say(f"sweep.left.how.{cause}", teams=self.plan.n_teams_needed(self.problem))

    def write(self, out: Path, left: Path | None, page: Path | None) -> list[Path]:
        """Write the teams' ways, the streets left out and the map."""
        from api.maps import write_theme  # noqa: PLC0415
        from api.maps.sweep import sweep_theme  # noqa: PLC0415
        from geo.io.export import write_file  # noqa: PLC0415
        from geo.privacy import Audience  # noqa: PLC0415
        from routing.sweep.teams.legs import streets_around  # noqa: PLC0415

        session, lines = self.files.session, self.files.credits
        said = text(f"export.audience.{Audience.COMMAND}", session.lang)
        paths = list(write_file(self.legs, out, layer="sweep", attribution=(said, *lines)))
        if left is not None:
            paths += write_file(self.left, left, layer="sweep_left", attribution=lines)
        if page is not None:
            theme = sweep_theme(
                self.legs,
                self.left,
                self.homes.drop_duplicates(Col.STATION_ID, ignore_index=True),
                rounds=[self._round(team) for team in self.teams],
                around=streets_around(self.legs, self.city.network),
                figures=self.figures,
                data_date=self.city.day,
                is_synthetic=self.files.is_synthetic,
                attribution=lines,
            )
            write_theme(theme, page, audience=Audience.COMMAND, lang=session.lang)
            paths.append(page)
        return paths

    def _round(self, team: int) -> "TeamRound":
        """Return a team's evening as the map lists it."""
        from api.maps.theme import TeamRound  # noqa: PLC0415

        return TeamRound(team=team, said=self.evening(team))

    def write_posts(self, posts: Path, second: int, label: str) -> list[Path]:
        """Write the sweep as posts of a night plan."""
        from geo.io.export import write_file  # noqa: PLC0415
        from routing.sweep.activity import sweep_posts  # noqa: PLC0415

        city, session = self.city, self.files.session
        made = sweep_posts(
            self.plan,
            self.problem,
            city.network,
            shift=city.shift,
            begins=(second,),
            label=label,
            source=city.source,
        )
        session.say("sweep.posts", n=len(made.posts), begin=f"{city.shift.at(second):%H:%M}")
        return list(write_file(made.posts, posts, layer="posts"))


def second_of(shift: "Shift", begin: str) -> int:
    """Return the second of the shift at a clock time; half an hour into it when not given.

    Raises
    ------
    OptionInvalid
        Not a clock time.
    """
    if not begin:
        return HALF_HOUR
    try:
        clock = time.fromisoformat(begin)
    except ValueError as error:
        raise OptionInvalid(option="--begin", value=begin, expected="HH:MM") from error
    at = datetime.combine(shift.start.date(), clock, shift.start.tzinfo)
    return int((at - shift.start).total_seconds()) % DAY


def _clock(milliseconds: int) -> str:
    """Return a span as hours and minutes, rounded up to the minute."""
    hours, minutes = divmod(-(-milliseconds // (MINUTE * 1000)), MINUTE)
    return f"{hours}:{minutes:02d}"
