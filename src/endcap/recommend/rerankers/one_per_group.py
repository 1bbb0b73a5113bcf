"""Shows one variant of a group: in the size or colour looked at, else the best placed."""

import numpy as np

from endcap.catalog.arrays import IntArray, LongArray
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Ranked, Reranker


class OnePerGroup(Reranker, frozen=True, kw_only=True):
    """Products without a group are all kept.

    Of a group, the candidate that shares most of the attributes `honour` with the seed, or with
    what was looked at last, takes the place of the group's best one.
    """

    honour: tuple[str, ...] = ("size", "colour", "color")

    def arrange(self, ranked: Ranked, query: Query, state: State) -> IntArray:
        """Places of one row of each group, each where the group's best row stands."""
        groups = state.columns.group[ranked.rows]
        grouped = np.flatnonzero(groups)
        kept: IntArray = np.arange(len(groups), dtype=np.int32)
        in_order = np.sort(groups[grouped])
        if not (in_order[1:] == in_order[:-1]).any():
            return kept  # mostly no group has two candidates
        _, first, member = np.unique(groups[grouped], return_index=True, return_inverse=True)
        chosen = self._chosen(ranked.rows[grouped], member, query, state)
        kept[grouped[first]] = grouped[chosen]
        stays = groups == 0
        stays[grouped[first]] = True
        shown: IntArray = kept[stays]
        return shown

    def _chosen(self, rows: IntArray, member: LongArray, query: Query, state: State) -> "LongArray":
        """Per group the place of the row that fits best; of those that fit alike, the first."""
        fit = np.zeros(len(rows), np.int64)
        like = query.seeds if len(query.seeds) else query.session[:1]
        for name in self.honour if len(like) else ():
            attribute = state.columns.attributes.find(name)
            if attribute is None or attribute.texts is None:
                continue
            wanted = attribute.texts.read(like)
            wanted = wanted[wanted > 0]
            if len(wanted):
                fit += np.isin(attribute.texts.read(rows), wanted)
        order = np.lexsort((np.arange(len(rows)), -fit, member))
        heads = np.searchsorted(member[order], np.arange(member.max() + 1))
        chosen: LongArray = order[heads]
        return chosen
