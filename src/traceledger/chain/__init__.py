# SPDX-License-Identifier: Apache-2.0
"""The EVM side: a standard-library reader, a lazy web3 sender and the committed contract artifacts."""
