# SPDX-License-Identifier: Apache-2.0
"""Folds over entries: the registry, lineage of lots, and stamps."""
