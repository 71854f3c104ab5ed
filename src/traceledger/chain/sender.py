# SPDX-License-Identifier: Apache-2.0
"""
Signs checkpoints for the anchor contract, and builds, sends and replaces the transactions that carry them.

One account, one transaction in flight, no memory: what to send and when is the anchoring use case's business,
and after any trouble the head on the chain decides.  Heavy libraries (web3, eth-account) are imported inside
functions, so a program that never anchors never loads them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from traceledger.chain.contract import artifact, creation_code, expect_contract, refusals
from traceledger.chain.rpc import Rpc, RpcRefusedError, read_head
from traceledger.core.log.anchor import Head, Receipt, checkpoint_digest, origin_hash
from traceledger.core.sign.evm import keccak256
from traceledger.errors import ConflictError, InputError, TemporaryError
from traceledger.heavy import load

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

FACTORY: Final = bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c")
"""The widely deployed deterministic factory: through it the contract gets one address on every chain."""

GAS_OF_AN_ANCHOR: Final = 90_000
"""What the balance is divided by when it is told in anchors: above the mean at a billion entries."""

_SALT: Final = bytes(32)
_GWEI: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """EIP-1559 prices in wei per gas: at most *max_fee* in all, of it *priority_fee* for the block's maker."""

    max_fee: int
    priority_fee: int

    def bumped(self) -> "Fees":
        """Return both prices 15 % up, rounded up: nodes ask for 10 % before they take a replacement."""
        return Fees(max_fee=-(-self.max_fee * 115 // 100), priority_fee=-(-self.priority_fee * 115 // 100))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A signed transaction, not yet sent; store it before sending it.  *tx* is its hash."""

    raw: bytes
    tx: bytes
    nonce: int
    fees: Fees
    gas: int


class RefusedError(ConflictError):
    """The contract would refuse this call; *name* is its custom error.  Read the head again."""

    code = "anchor-refused"

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


def address_of_key(key: bytes) -> bytes:
    """Return the 20-byte address of a 32-byte secp256k1 secret *key*."""
    return bytes.fromhex(_account(key).address[2:])


def sign_checkpoint(key: bytes, *, log_id: bytes, size: int, root: bytes) -> tuple[bytes, bytes, int]:
    """Return (r, s, v) of the anchor signer's EIP-712 signature over a checkpoint: low s, v of 27 or 28."""
    digest: Any = checkpoint_digest(log_id, size, root)
    signed = _account(key).unsafe_sign_hash(digest)
    return signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"), signed.v


class Sender:
    """
    The relaying account on one chain, and the contract it talks to.

    Args:
        rpc: The endpoint.

        chain_id: The chain it must serve; asked again whenever something is signed.

        contract: Address of the anchor contract.

        account_key: Secret key of the account that pays.

        fee_ceiling: Highest max fee in wei per gas ever offered; None for no limit.
    """

    def __init__(
        self, rpc: Rpc, *, chain_id: int, contract: bytes, account_key: bytes, fee_ceiling: int | None = None
    ) -> None:
        self.rpc = rpc
        self.chain_id = chain_id
        self.contract = contract
        self.fee_ceiling = fee_ceiling
        self._key = account_key
        self.address = address_of_key(account_key)

    def check(self) -> None:
        """
        Check that this is the chain and that the contract lives there.

        Raises:
            VerificationError: code ``chain-id``.

            InputError: code ``contract-missing`` or ``contract-differs``.
        """
        self.rpc.expect_chain(self.chain_id)
        expect_contract(self.rpc, self.contract)

    def head(self, log_id: bytes) -> Head:
        """Return the head at the latest block."""
        return read_head(self.rpc, self.contract, log_id)

    def receipt(self, tx: bytes) -> Receipt | None:
        """Return the receipt of transaction *tx*, None while it is in no block."""
        return self.rpc.receipt(tx)

    def knows(self, tx: bytes) -> bool:
        """Return whether the endpoint still has transaction *tx*, mined or waiting."""
        return self.rpc.knows(tx)

    def nonce(self) -> int:
        """Return the next nonce, valid only while nothing of this account is in flight."""
        return self.rpc.nonce(self.address)

    def fees(self, *, above: Fees | None = None) -> Fees:
        """
        Return what to offer now: twice the base fee plus the usual priority fee.

        Args:
            above: Prices of the transaction to replace; the answer is at least 15 % above both.

        Raises:
            TemporaryError: code ``fees-high``: the ceiling does not pay for the next block, or not for a
                replacement.
        """
        block = self.rpc.block("latest")
        base = block.base_fee if block else 0
        priority = self._priority_fee()
        offer, least = 2 * base + priority, base + priority
        if above is not None:
            bumped = above.bumped()
            priority, least = max(priority, bumped.priority_fee), max(least, bumped.max_fee)
            offer = max(offer, least)
        if self.fee_ceiling is not None:
            if least > self.fee_ceiling:
                raise TemporaryError(
                    f"the next block costs {least} wei per gas, above the ceiling of {self.fee_ceiling}",
                    code="fees-high",
                )
            offer = min(offer, self.fee_ceiling)
        return Fees(max_fee=offer, priority_fee=min(priority, offer))

    def anchors_left(self, fees: Fees) -> int:
        """Return how many anchors the balance pays for at *fees*."""
        return self.rpc.balance(self.address) // max(1, GAS_OF_AN_ANCHOR * fees.max_fee)

    def build_call(self, to: bytes | None, data: bytes, *, nonce: int, fees: Fees) -> Prepared:
        """
        Prepare any call, or with *to* None a creation, after letting the endpoint try it.

        Raises:
            As `build_anchor`.
        """
        self.rpc.expect_chain(self.chain_id)
        call: dict[str, Any] = {"from": "0x" + self.address.hex(), "data": "0x" + data.hex()}
        if to is not None:
            call["to"] = "0x" + to.hex()
        try:
            gas = int(str(self.rpc.ask("eth_estimateGas", call, "latest")), 16)
        except RpcRefusedError as error:
            raise _translated(error, self.address) from error
        except ValueError as error:
            raise TemporaryError("the gas estimate is no number", code="chain-unreachable") from error
        # room for a head that moves between trying and mining; unused gas is not paid
        gas = gas * 5 // 4
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": nonce,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.priority_fee,
            "gas": gas,
            "to": to if to is not None else b"",
            "value": 0,
            "data": data,
        }
        raw = bytes(_account(self._key).sign_transaction(transaction).raw_transaction)
        return Prepared(raw=raw, tx=keccak256(raw), nonce=nonce, fees=fees, gas=gas)

    def build_open(self, signer: bytes, guardian: bytes, origin: str, *, nonce: int, fees: Fees) -> Prepared:
        """Prepare the call that opens a log; harmless where it is open already."""
        arguments = [_checksum(signer), _checksum(guardian), origin_hash(origin)]
        return self.build_call(self.contract, _encode("open", arguments), nonce=nonce, fees=fees)

    def build_anchor(
        self,
        log_id: bytes,
        *,
        size: int,
        root: bytes,
        proof: Sequence[bytes],
        signature: tuple[bytes, bytes],
        nonce: int,
        fees: Fees,
    ) -> Prepared:
        """
        Prepare the call that offers a head, after letting the endpoint try it.

        Args:
            log_id: The log.

            size: Number of entries.

            root: Root over them.

            proof: Consistency proof from the chain's head, empty for the first.

            signature: (r, vs), the anchor signer's signature in compact form.

            nonce: The account's next nonce, or that of the transaction to replace.

            fees: What to offer.

        Raises:
            RefusedError: the contract would revert, for instance since somebody relayed in between.

            VerificationError: code ``chain-id``: the endpoint serves another chain now; fatal.

            TemporaryError: ``chain-unreachable``, ``funds-low``.
        """
        data = _encode("anchor", [log_id, size, root, list(proof), *signature])
        return self.build_call(self.contract, data, nonce=nonce, fees=fees)

    def broadcast(self, raw: bytes) -> bytes:
        """
        Send a prepared transaction and return its hash; sending it twice is no error.

        Raises:
            ConflictError: ``nonce-too-low`` (something of this account was mined: look at the receipts of all
                attempts, then at the head) or ``fee-too-low`` (bump more).

            TemporaryError: ``funds-low``, ``chain-unreachable`` or the endpoint's own refusal.
        """
        try:
            self.rpc.ask("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcRefusedError as error:
            words = error.rpc_message.lower()
            if not any(
                known in words for known in ("already known", "already imported", "known transaction")
            ):
                raise _translated(error, self.address) from error
        return keccak256(raw)

    def wait(self, tx: bytes, *, seconds: float = 60.0) -> Receipt:
        """
        Wait until transaction *tx* is in a block; for setting up, never for anchoring.

        Raises:
            TemporaryError: code ``chain-slow``: not within *seconds*.

            ConflictError: code ``anchor-refused``: it reverted.
        """
        deadline = time.monotonic() + seconds
        while (receipt := self.rpc.receipt(tx)) is None:
            if time.monotonic() > deadline:
                raise TemporaryError(f"0x{tx.hex()} is in no block after {seconds:g} s", code="chain-slow")
            time.sleep(0.1)
        if receipt.status != 1:
            raise RefusedError(f"0x{tx.hex()} reverted", name="")
        return receipt

    def _priority_fee(self) -> int:
        try:
            return int(str(self.rpc.ask("eth_maxPriorityFeePerGas")), 16)
        except (RpcRefusedError, ValueError):
            return _GWEI  # the method is optional


def open_log(sender: Sender, signer: bytes, guardian: bytes, origin: str, *, log_id: bytes) -> bytes | None:
    """Open a log unless it is open, wait for it, and return the transaction's hash (None: was open)."""
    if sender.head(log_id).is_open:
        return None
    opened = sender.build_open(signer, guardian, origin, nonce=sender.nonce(), fees=sender.fees())
    sender.wait(sender.broadcast(opened.raw))
    return opened.tx


def deploy(rpc: Rpc, *, chain_id: int, account_key: bytes) -> bytes:
    """
    Deploy the anchor contract, wait for it, and return its address.

    Where the chain has the deterministic factory the address is the same on every chain and for everybody,
    and an existing deployment is found instead of repeated.

    Raises:
        VerificationError: code ``chain-id``.

        InputError: code ``contract-differs``: something else lives at that address.

        TemporaryError: ``funds-low``, ``chain-slow``, ``chain-unreachable``.
    """
    rpc.expect_chain(chain_id)
    code = creation_code()
    address = keccak256(b"\xff" + FACTORY + _SALT + keccak256(code))[12:]
    if rpc.code(address):
        expect_contract(rpc, address)
        return address
    sender = Sender(rpc, chain_id=chain_id, contract=address, account_key=account_key)
    nonce, fees = sender.nonce(), sender.fees()
    if rpc.code(FACTORY):
        prepared = sender.build_call(FACTORY, _SALT + code, nonce=nonce, fees=fees)
    else:
        create_address = load("web3.utils.address").get_create_address
        address = bytes.fromhex(create_address(_checksum(sender.address), nonce)[2:])
        prepared = sender.build_call(None, code, nonce=nonce, fees=fees)
    sender.wait(sender.broadcast(prepared.raw))
    expect_contract(rpc, address)
    return address


def _translated(error: RpcRefusedError, payer: bytes) -> Exception:
    """Return what an endpoint's refusal means; the refusal itself where it means nothing we know."""
    words = error.rpc_message.lower()
    if error.rpc_data.startswith("0x") and len(error.rpc_data) >= 10:
        name = refusals().get(bytes.fromhex(error.rpc_data[2:10]), "")
        if name:
            return RefusedError(f"the contract would refuse: {name}", name=name)
    if "nonce too low" in words:
        return ConflictError("a transaction with this nonce is mined already", code="nonce-too-low")
    if "underpriced" in words or "less than block base fee" in words:
        return ConflictError("the fees offered are too low for a place in the queue", code="fee-too-low")
    if "insufficient funds" in words:
        return TemporaryError(
            f"the account {_checksum(payer)} cannot pay for this: send it money", code="funds-low"
        )
    return error


def _account(key: bytes) -> "LocalAccount":
    if len(key) != 32:
        raise InputError(f"expected a 32-byte secp256k1 key, got {len(key)} bytes")
    try:
        account: LocalAccount = load("eth_account").Account.from_key(key)
    except (ValueError, load("eth_utils.exceptions").ValidationError) as error:
        raise InputError("expected a secp256k1 key within the group order") from error
    return account


def _encode(function: str, arguments: list[Any]) -> bytes:
    contract = load("web3").Web3().eth.contract(abi=artifact()["abi"])
    return bytes.fromhex(contract.encode_abi(function, args=arguments)[2:])


def _checksum(address: bytes) -> Any:
    return load("web3").Web3.to_checksum_address(address)
