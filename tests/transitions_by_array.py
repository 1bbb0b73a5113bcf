"""Transitions counted with numpy, what the SQL kernels are held against."""

import numpy as np


def follow(offsets, items, products, kinds):
    """Per kind `offsets`, `partner`, `weight` and `times`; see `endcap.build.transitions`."""
    session = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    clicks = np.bincount(items, minlength=products)
    return {
        name: _followed(session, np.asarray(items, np.int64), clicks, kind)
        for name, kind in kinds.items()
    }


def _followed(session, items, clicks, kind):
    keys, gaps, sessions = [np.empty(0, np.int64)] * 3
    for gap in range(1, kind.reach + 1):
        at = np.flatnonzero(session[:-gap] == session[gap:])
        x, y = items[at], items[at + gap]
        for a, b, sign in ((x, y, gap), (y, x, -gap)):
            keys = np.append(keys, a * len(clicks) + b)
            gaps = np.append(gaps, np.full(len(at), sign))
            sessions = np.append(sessions, session[at])
    count = session[-1] + 1 if len(session) else 0
    weight = np.exp(-(count - 1 - sessions) / max(1e-9, kind.recency * count))
    weight *= np.where(gaps > 0, 1.0, kind.backward) / np.abs(gaps) ** float(kind.fade)
    pairs, inverse = np.unique(keys, return_inverse=True)
    weights = np.bincount(inverse, weight, len(pairs))
    times = np.bincount(inverse, gaps > 0, len(pairs)).astype(np.int32)
    a, b = pairs // len(clicks), pairs % len(clicks)
    weights = (weights / clicks[b] ** kind.niche).astype(np.float32)
    order = np.lexsort((b, -weights, a))
    begins = np.flatnonzero(np.diff(a[order], prepend=-1))
    rank = np.arange(len(a)) - np.repeat(begins, np.diff(begins, append=len(a)))
    order = order[(rank < kind.partners) & (weights[order] > 0)]
    a, weights = a[order], weights[order].astype(np.float64)
    offsets = np.zeros(len(clicks) + 1, np.int64)
    np.cumsum(np.bincount(a, minlength=len(clicks)), out=offsets[1:])
    return {
        "offsets": offsets,
        "partner": b[order].astype(np.int32),
        "weight": (weights / np.bincount(a, weights, len(clicks))[a]).astype(np.float32),
        "times": times[order],
    }
