"""Slates for many visitors at once, as flat rows: for e-mail campaigns and other systems."""

from collections.abc import Sequence

import msgspec

from endcap.core.errors import InvalidInput
from endcap.core.receipt import RowError
from endcap.core.request import RecommendationRequest

from .ahead import AT_ONCE
from .recommend import RecommendService
from .served import ServedLog

FIELDS = ["title", "url", "image", "price", "currency"]
_ANY = msgspec.json.Decoder(dict[str, object])


class ExportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of one visitor's slate. `token` credits what follows to this slate."""

    visitor: str
    position: int
    product: str
    score: float
    rung: str
    reason: str | None
    reason_text: str | None
    token: str
    title: str | None = None
    url: str | None = None
    image: str | None = None
    price: str | None = None
    currency: str | None = None


class ExportPart(msgspec.Struct, frozen=True):
    """The rows of some visitors, and the ids that were refused (by line of the list)."""

    rows: list[ExportRow]
    errors: list[RowError]


class ExportService:
    """Makes slates part by part; what was served is in the log when a part is returned."""

    def __init__(self, recommender: RecommendService, served: ServedLog) -> None:
        self._recommender = recommender
        self._served = served

    async def part(
        self, shop: str, request: RecommendationRequest, visitors: Sequence[str], first: int
    ) -> ExportPart:
        """One slate per visitor; `first` is the line of the first one in the whole list.

        Raises UnknownPlacement, and InvalidInput when the request is wrong for every visitor.
        """
        rows: list[ExportRow] = []
        errors: list[RowError] = []
        for line, visitor in enumerate(visitors, first):
            if (line - first) % AT_ONCE == 0:
                await self._recommender.read_ahead(shop, visitors[line - first :][:AT_ONCE])
            asked = msgspec.structs.replace(request, visitor=visitor, fields=FIELDS)
            try:
                slate = await self._recommender.recommend(shop, asked)
            except InvalidInput as error:
                if any(problem.pointer != "/visitor" for problem in error.problems):
                    raise
                errors.append(RowError(line, error.problems))
                continue
            for item in slate.items:
                fields = _ANY.decode(item.product)
                best = item.reasons[0] if item.reasons else None
                rows.append(
                    ExportRow(
                        visitor=visitor,
                        position=item.position,
                        product=item.id,
                        score=item.score,
                        rung=item.rung,
                        reason=best.code if best else None,
                        reason_text=best.text if best else None,
                        token=slate.token,
                        **{name: _text(fields.get(name)) for name in FIELDS},
                    )
                )
        await self._served.flush()
        return ExportPart(rows, errors)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
