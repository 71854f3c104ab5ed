# SPDX-License-Identifier: Apache-2.0
"""Translators between our statements and other people's files; no I/O beyond the bytes handed in."""
