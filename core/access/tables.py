"""Tables of keys and usage; `core/access/migrations` brings a database to this state."""

import sqlalchemy as sa

metadata = sa.MetaData()

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner", sa.String(63), nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("secret_sha256", sa.String(64), nullable=False),
    sa.Column("created_s", sa.Double, nullable=False),
    sa.Column("expires_s", sa.Double, nullable=True),
    sa.Column("revoked_s", sa.Double, nullable=True),
    sa.Column("last_used_s", sa.Double, nullable=True),
)
"""Times are in Unix seconds, scopes joined by commas."""

owner_usage = sa.Table(
    "owner_usage",
    metadata,
    sa.Column("owner", sa.String(63), primary_key=True),
    sa.Column("policy", sa.String(63), primary_key=True),
    sa.Column("window_start_s", sa.BigInteger, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False),
)
"""What each owner used in the last window of each quota that has one."""
