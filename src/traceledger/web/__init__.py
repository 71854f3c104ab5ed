# SPDX-License-Identifier: Apache-2.0
"""
The web: pages for people, the GS1 resolver, the API, and the log as files.

`create_app` is all that others need.  Nothing here keeps state but counters; verdicts, admission and proofs are
use cases of the application it is given.
"""

from traceledger.web.factory import create_app

__all__ = ["create_app"]
