# SPDX-License-Identifier: Apache-2.0
"""The first schema."""

from alembic import op

from traceledger.store import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table as the schema of this revision names it."""
    schema.metadata.create_all(op.get_bind())
