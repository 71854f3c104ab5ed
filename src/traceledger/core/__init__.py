# SPDX-License-Identifier: Apache-2.0
"""The pure trust core: no I/O, clock, randomness or framework; a change here may break a printed stamp."""
