"""An experiment is data: variants of placements, who takes part, and what was planned."""

from typing import Any, Literal

import msgspec

Metric = Literal[
    "click_rate",
    "clicking_visitors",
    "carting_visitors",
    "buying_visitors",
    "revenue_per_visitor",
    "orders_per_visitor",
    "order_value",
]
METRICS: tuple[str, ...] = (
    "click_rate",
    "clicking_visitors",
    "carting_visitors",
    "buying_visitors",
    "revenue_per_visitor",
    "orders_per_visitor",
    "order_value",
)
HOLD_OUT = "hold_out"
INTERLEAVED = "interleaved"
"""What answers name as the variant when both have products in the slate."""


class Variant(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One version to compare. The first variant of an experiment is the control.

    `changes` replace fields of the placement (`strategies`, `filters`, `rerankers`, `fallback`,
    `slots`, ...); the rules named in `rules_off` do not hold for this variant.
    """

    name: str
    weight: float = 1.0
    changes: dict[str, Any] = {}
    rules_off: list[str] = []


class Target(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who can take part; an empty list lets everybody in."""

    segments: list[str] = []
    zones: list[str] = []
    devices: list[str] = []


class RampStep(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """From `hours` after the start on, `traffic` of the visitors take part."""

    hours: float
    traffic: float


class Guardrail(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A metric that must not fall by more than `margin` (0.02: two percent)."""

    metric: Metric
    margin: float = 0.02


class Planned(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was decided before the start.

    `per_variant` visitors in each variant are enough to find a relative `effect` with `power`;
    `days` is how long that takes. No winner is named earlier unless the always-valid interval
    leaves zero out.
    """

    per_variant: int = 0
    days: int = 14
    effect: float = 0.1
    power: float = 0.8


class Experiment(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A comparison of variants on some placements.

    Experiments of one `layer` exclude each other: each owns `share` of the layer's visitors.
    With the type `interleaving` both variants fill one slate by turns (team draft), and clicks say
    which is preferred.

    `traffic` is the part of those who take part now (it can be raised, `ramp` raises it by
    itself); `hold_out` of the layer's visitors see no experiment of the layer at all. `exposure`
    says when a visitor counts: at serving or at the first impression. `alpha` is the risk of a
    false winner.
    """

    title: str = ""
    type: Literal["ab", "interleaving"] = "ab"
    placements: list[str]
    variants: list[Variant]
    layer: str = "default"
    share: float = 1.0
    traffic: float = 1.0
    ramp: list[RampStep] = []
    hold_out: float = 0.0
    target: Target = msgspec.field(default_factory=Target)
    exposure: Literal["serving", "impression"] = "serving"
    primary: Metric = "click_rate"
    guardrails: list[Guardrail] = []
    plan: Planned = msgspec.field(default_factory=Planned)
    alpha: float = 0.05
    state: Literal["draft", "running", "stopped"] = "draft"
    salt: str = ""
    slice_from: float = 0.0
    started_at: int | None = None
    stopped_at: int | None = None


class ExperimentView(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of an experiment; `changed_at` is UTC milliseconds."""

    name: str
    version: int
    experiment: Experiment
    author: str
    changed_at: int
