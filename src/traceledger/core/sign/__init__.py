# SPDX-License-Identifier: Apache-2.0
"""Bytes and signatures: strict JSON, canonical bytes, keys, DSSE envelopes."""
