# SPDX-License-Identifier: Apache-2.0
"""Database schema, migrations and queries, and evidence files kept by hash."""
