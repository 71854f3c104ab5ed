# SPDX-License-Identifier: Apache-2.0
"""A ledger of signed statements about agricultural lots that nobody can quietly rewrite."""

__version__ = "0.1.0"
