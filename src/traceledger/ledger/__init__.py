# SPDX-License-Identifier: Apache-2.0
"""The use cases, one verb a file, over the core and the stores."""
