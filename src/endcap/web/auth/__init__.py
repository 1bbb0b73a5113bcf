"""Sign-in for pages, written so that a page needs two lines.

    @require("rules:edit")
    async def rules_page(request: Request) -> Response:
        account = current_account(request)

`require` answers 403 to a caller without the scope and sends somebody who is not signed in to
`/login` and back. A form that changes something carries `csrf_token(request)` in a hidden field
named `csrf`, and its handler reads it with `await checked_form(request)`; a script sends the same
token as `X-CSRF-Token` (htmx: `hx-headers='{"X-CSRF-Token": "…"}'` on `<body>`).

The caller of pages is known under the paths in `PAGES`; the API knows its own (`web/app.py`).
"""

from .pagecalls import (
    PAGES,
    PageCallers,
    checked_form,
    csrf_token,
    current_account,
    require,
)

__all__ = [
    "PAGES",
    "PageCallers",
    "checked_form",
    "csrf_token",
    "current_account",
    "require",
]
