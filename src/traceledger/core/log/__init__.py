# SPDX-License-Identifier: Apache-2.0
"""The append-only log as RFC 6962 and C2SP define it: entries, tree, tiles, notes, anchors."""
