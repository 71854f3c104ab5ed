# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry point; the connection is handed over by `store.database`."""

from alembic import context

from traceledger.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
