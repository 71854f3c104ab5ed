# SPDX-License-Identifier: Apache-2.0
"""What is claimed: identifiers, EPCIS statements, records and private fields."""
