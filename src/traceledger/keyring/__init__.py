# SPDX-License-Identifier: Apache-2.0
"""Encrypted key files and who holds them."""
