"""Refused events name their visitor, so that its erasure finds them."""

import sqlalchemy as sa
from alembic import op

from endcap.storage.sql.columns import Exact

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; older versions, which do not know it, may go on writing."""
    column: sa.Column[str] = sa.Column("visitor", Exact(200), nullable=False, server_default="")
    op.add_column("dead_letters", column)
    op.create_index("dead_letters_visitor", "dead_letters", ["shop", "visitor"])
