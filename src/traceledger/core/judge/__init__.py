# SPDX-License-Identifier: Apache-2.0
"""What may enter, what is wrong, and what we say: admission, findings, verification, verdicts."""
