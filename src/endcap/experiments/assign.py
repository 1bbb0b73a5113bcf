"""Who meets which variant: a pure function of salts and the visitor, the same on every replica.

Hashing instead of a stored table: Kohavi, Tang, Xu, "Trustworthy Online Controlled Experiments"
(2020), ch. 14; layers after Tang et al., "Overlapping Experiment Infrastructure" (KDD 2010).
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from endcap.core.experiment import HOLD_OUT, Experiment, Variant
from endcap.core.times import HOUR


class Subject(NamedTuple):
    """Who asks: the visitor's pseudonym and what targeting looks at."""

    visitor: str
    zone: str | None = None
    device: str | None = None
    segments: frozenset[str] = frozenset()


def position(salt: str, unit: str) -> float:
    """A number in [0, 1), fixed by salt and unit and spread evenly over units."""
    digest = hashlib.blake2b(f"{salt}\0{unit}".encode(), digest_size=8).digest()
    # 53 bits, so that the float is exact and never rounds up to 1.
    return (int.from_bytes(digest) >> 11) / 2**53


def assigned(experiment: Experiment, subject: Subject, now: int) -> str | None:
    """The variant the visitor meets, `hold_out`, or None for who does not take part."""
    if experiment.state != "running" or not targeted(experiment, subject):
        return None
    unit, salt = subject.visitor, experiment.salt
    if position(f"hold-out:{experiment.layer}", unit) < experiment.hold_out:
        return HOLD_OUT
    # In floats 0.1 + 0.2 is not 0.3; slices are compared at the precision they are allotted at.
    place = position(f"layer:{experiment.layer}", unit) - experiment.slice_from
    if not 0 <= place < round(experiment.share, 9):
        return None
    if position(f"traffic:{salt}", unit) >= traffic_at(experiment, now):
        return None
    return pick(experiment.variants, position(f"variant:{salt}", unit))


def targeted(experiment: Experiment, subject: Subject) -> bool:
    """Whether the experiment is for visitors like this one."""
    target = experiment.target
    if target.zones and subject.zone not in target.zones:
        return False
    if target.devices and subject.device not in target.devices:
        return False
    return not target.segments or bool(subject.segments.intersection(target.segments))


def traffic_at(experiment: Experiment, now: int) -> float:
    """The part of the visitors that takes part at this time (UTC milliseconds)."""
    hours = (now - (experiment.started_at or now)) / HOUR
    reached = [step.traffic for step in experiment.ramp if step.hours <= hours]
    return max([experiment.traffic, *reached])


def pick(variants: Sequence[Variant], at: float) -> str:
    """The variant whose part of [0, 1) holds `at`; the parts are as the weights."""
    total = sum(variant.weight for variant in variants)
    end = 0.0
    for variant in variants:
        end += variant.weight / total
        if at < end:
            return variant.name
    return variants[-1].name


def free_slice(taken: Sequence[tuple[float, float]], share: float) -> float | None:
    """Where a slice of `share` fits beside the `taken` ones (from, share); None when it does not.

    Works in billionths, so that ten slices of 0.1 fill a layer.
    """
    unit = 10**9
    wanted, start = round(share * unit), 0
    for begin, size in sorted((round(f * unit), round(s * unit)) for f, s in taken):
        if begin - start >= wanted:
            break
        start = max(start, begin + size)
    return start / unit if start + wanted <= unit else None
