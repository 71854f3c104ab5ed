# SPDX-License-Identifier: Apache-2.0
"""From stamp links to paper: QR symbols, sheet geometry, PDF, PNG and SVG, and a check that reads it back."""
