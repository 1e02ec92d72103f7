"""A divided sweep as what is printed and written."""

from collections import Counter
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.cli.sweep_ask import METRES_PER_KM, City, Files
from api.i18n import text
from geo.errors import OptionInvalid
from geo.frames import Col
from geo.units import HOUR, MINUTE

if TYPE_CHECKING:
    from api.maps.theme import Said
    from routing.model import Shift
    from routing.sweep import SweepProblem
    from routing.sweep.plan import SweepPlan

HALF_HOUR: Final = HOUR // 2
DAY: Final = 24 * HOUR


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
        self.legs = sweep_legs(plan, problem, city.network, source=city.source)
        self.left = left_streets(plan, city.network, source=city.source)

    def say(self, *, is_day_stated: bool) -> None:
        """Print each team's evening, what all of it rests on, and what is left out."""
        session, plan, city = self.files.session, self.plan, self.city
        for team, tour in enumerate(plan.routes, 1):
            name = self.homes[Col.NAME].iloc[team - 1]
            if not len(tour.arcs):
                session.say("sweep.team.idle", team=team, name=name)
                continue
            own = self.legs[self.legs[Col.TEAM] == team]
            km = own.groupby(Col.IS_SERVICE)[Col.LENGTH].sum() / METRES_PER_KM
            percent = f"{tour.milliseconds / plan.shift_length / 10:.0f} %"
            session.say(
                "sweep.team",
                team=team,
                name=name,
                clock=_clock(tour.milliseconds),
                km=f"{km.get(True, 0.0):.1f}",
                empty=f"{km.get(False, 0.0):.1f}",
                share=text("sweep.team.share", session.lang, percent=percent),
            )
        code, params = self.summary
        session.say(code, **params)
        self._say_left()
        day = city.day.isoformat()
        session.say(
            "sweep.basis",
            mode=text(f"sweep.mode.{city.mode}", session.lang),
            version=city.network.profile.version,
            band=text(f"sweep.band.{city.band}", session.lang),
            day=day if is_day_stated else text("cli.place.today", session.lang, day=day),
        )

    @property
    def summary(self) -> "Said":
        """What is swept, of what was asked, and how good it is."""
        plan = self.plan
        total = int((self.problem.passes > 0).sum())
        n = total - len({one.segment for one in plan.left_out})
        return "sweep.summary", {
            "n": f"{n:,}",
            "total": f"{total:,}",
            "clock": _clock(plan.total),
            "balance": f"{plan.balance:.2f}",
            "over": f"{plan.over_bound:.1%}",
        }

    def _say_left(self) -> None:
        session, total = self.files.session, int((self.problem.passes > 0).sum())
        causes = Counter(one.cause.value for one in self.plan.left_out)
        if not causes:
            return
        why = [
            text("sweep.left.some", session.lang, n=n, cause=text(f"sweep.cause.{c}", session.lang))
            for c, n in sorted(causes.items())
        ]
        joined = text("sweep.comma", session.lang).join(why)
        session.say("sweep.left", n=len(self.left), total=f"{total:,}", why=joined)
        session.say("sweep.left.how", teams=self.plan.n_teams_needed)

    def write(self, out: Path, left: Path | None, page: Path | None) -> list[Path]:
        """Write the teams' ways, the streets left out and the map."""
        from api.maps import write_theme  # noqa: PLC0415
        from api.maps.sweep import sweep_theme  # noqa: PLC0415
        from geo.io.export import write_file  # noqa: PLC0415
        from geo.privacy import Audience  # noqa: PLC0415

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
                figures=(self.summary,),
                data_date=self.city.day,
                attribution=lines,
            )
            write_theme(theme, page, audience=Audience.COMMAND, lang=session.lang)
            paths.append(page)
        return paths

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
