"""The first tables."""

import sqlalchemy as sa
from alembic import op

from endcap.storage.sql.columns import Body, Exact, Place

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table("schema_version", sa.Column("version", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO schema_version (version) VALUES (1)")
    op.create_table(
        "heads",
        sa.Column("shop", Exact(200), nullable=False),
        sa.Column("stream", Exact(60), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "stream"),
    )
    op.create_table(
        "products",
        sa.Column("shop", Exact(200), nullable=False),
        sa.Column("id", Exact(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("body", Body, nullable=False),
        sa.Column("history", Body, nullable=False),
        sa.PrimaryKeyConstraint("shop", "id"),
    )
    op.create_index("products_change", "products", ["shop", "change"], unique=True)
    op.create_table(
        "events",
        sa.Column("seq", Place, primary_key=True),
        sa.Column("shop", Exact(200), nullable=False),
        sa.Column("source", Exact(200), nullable=False),
        sa.Column("event_id", Exact(200), nullable=False),
        sa.Column("type", Exact(20), nullable=False),
        sa.Column("visitor", Exact(200), nullable=False),
        sa.Column("session", Exact(200), nullable=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("body", Body, nullable=False),
        sa.UniqueConstraint("shop", "source", "event_id", name="events_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_visitor", "events", ["shop", "visitor", "seq"])
    op.create_table(
        "dead_letters",
        sa.Column("seq", Place, primary_key=True),
        sa.Column("shop", Exact(200), nullable=False),
        sa.Column("source", Exact(200), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("code", Exact(100), nullable=False),
        sa.Column("reason", Exact(2000), nullable=False),
        sa.Column("payload", Body, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "control",
        sa.Column("shop", Exact(200), nullable=False),
        sa.Column("kind", Exact(40), nullable=False),
        sa.Column("name", Exact(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", Body, nullable=True),
        sa.Column("author", Exact(200), nullable=False),
        sa.Column("note", Exact(2000), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "kind", "name", "version"),
    )
    op.create_table(
        "leases",
        sa.Column("name", Exact(60), nullable=False),
        sa.Column("holder", Exact(200), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
