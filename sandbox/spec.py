"""What company to simulate: its size, what its systems fail to see, and the effects planted in it.

What belongs here: every number that a user may choose. What does not: anything drawn from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


class SandboxError(Exception):
    """A request that cannot be fulfilled; the message names the remedy."""


LARGEST_SEED = 2**31


@dataclass(frozen=True)
class Size:
    """How large a company is. Counts are for the whole period unless named otherwise."""

    name: str
    divisions: int
    """Top-level departments."""
    teams: int
    """Leaf departments: people and a Jira project each."""
    people: int
    initiatives: int
    ideas: int
    standalone_issues: int
    """Work that serves no initiative, incidents included."""
    products: int
    accounts: int
    """Customers in the CRM."""
    deals_a_month: int
    tickets_a_month: int
    surveys_a_month: int
    """Customer surveys sent, both instruments together."""


SIZES: Mapping[str, Size] = MappingProxyType(
    {
        size.name: size
        for size in (
            Size("tiny", 3, 6, 60, 90, 96, 740, 10, 42, 8, 30, 53),
            Size("small", 4, 24, 600, 500, 400, 3_400, 20, 400, 60, 200, 250),
            Size("medium", 8, 240, 10_000, 5_200, 3_000, 40_000, 60, 4_000, 500, 2_000, 1_500),
            Size(
                "large",
                12,
                2_000,
                100_000,
                52_000,
                30_000,
                400_000,
                200,
                20_000,
                2_500,
                10_000,
                6_000,
            ),
        )
    }
)


@dataclass(frozen=True)
class Profile:
    """What the systems see of the company. Shares are of people, answers or rows, 0 to 1."""

    name: str
    hidden_emails: float
    """Jira accounts that hide their e-mail."""
    odd_names: float
    """Accounts with a nickname, a typo or a later change of name."""
    no_account: float
    """Employees without a Jira account, who do their work all the same (it is booked by a
    colleague or not at all)."""
    logging_teams: float
    """Teams that book their time."""
    logged_days: float
    """Working days that a team which books its time does book."""
    response_rate: float
    """Surveys answered; unhappy people answer less where it is below 1."""
    late_hr_rows: float
    """Moves that HR records weeks after they took effect."""
    missing_labels: float
    """Initiatives whose objective label is added late, or never."""


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile("clean", 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0),
            Profile("messy", 0.10, 0.06, 0.04, 0.5, 0.94, 0.55, 0.25, 0.08),
        )
    }
)


@dataclass(frozen=True)
class Effects:
    """True effects; no record states any of them.

    Where two values stand, the first is for initiatives planned in one department, the second for
    those planned across several.
    """

    cross_share: float = 0.55
    """Chance that an initiative is planned across departments."""
    delivered: tuple[float, float] = (0.76, 0.94)
    on_time: tuple[float, float] = (0.60, 0.84)
    """Of the delivered ones."""
    scope_met: tuple[float, float] = (0.86, 0.95)
    outcome_met: tuple[float, float] = (0.70, 0.85)
    """Chance that a key result is reached; matters where key results are configured."""
    duration_median_days: float = 82.0
    """Approval to first customer, elapsed, log-normal, first year, one department."""
    duration_spread: float = 0.42
    """Standard deviation of the logarithm of the duration."""
    pace: tuple[float, float] = (1.0, 0.62)
    """Factor on the duration."""
    second_year_pace: float = 0.88
    second_year_on_time: float = 0.06
    """Added to the chance of being on time in the second simulated year."""
    idea_launched: float = 0.30
    """Chance that an idea is launched within a year."""
    idea_launched_late: float = 0.08
    visionary_pull: float = 0.17
    """Chance that an initiative with an objective serves the visionary horizon."""
    has_objective: float = 0.88
    won: float = 0.47
    """Chance that a deal is won."""
    new_product_pull: float = 2.0
    """How much better a product sells in its first 700 days."""
    satisfaction_drift: float = 0.35
    """Rise of the mood of all customers over the simulated years, in standard deviations."""
    joint_effort_lift: float = 0.45
    """Rise of the mood of an account once an initiative that IT and a customer-facing
    department share has been made available to it, in standard deviations."""
    several_departments_slow_incidents: float = 1.8
    """Factor on the resolution time of an incident that needs a second department."""
    engagement_of_collaborators: float = 0.30
    """Rise of the engagement (scale 1-5) of people who work across departments."""


@dataclass(frozen=True)
class Spec:
    """Everything that decides a company: the same Spec gives the same bytes."""

    size: Size = field(default_factory=lambda: SIZES["tiny"])
    seed: int = 7
    profile: Profile = field(default_factory=lambda: PROFILES["messy"])
    effects: Effects = field(default_factory=Effects)
    key_results: bool = False
    """Whether initiatives carry key results, so that success waits for their outcome."""

    @classmethod
    def of(
        cls, size: str = "tiny", seed: int = 7, profile: str = "messy", key_results: bool = False
    ) -> Spec:
        """The spec of names as given on the command line; SandboxError for an unknown one."""
        if size not in SIZES:
            raise SandboxError(f"Unknown size '{size}'. Sizes are: {', '.join(SIZES)}.")
        if profile not in PROFILES:
            raise SandboxError(f"Unknown profile '{profile}'. Profiles are: {', '.join(PROFILES)}.")
        if not 0 <= seed < LARGEST_SEED:
            raise SandboxError(
                f"Seed {seed} is out of range. Give one from 0 to {LARGEST_SEED - 1}."
            )
        return cls(SIZES[size], seed, PROFILES[profile], Effects(), key_results)
