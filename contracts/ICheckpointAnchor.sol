// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A public, ownerless place for the heads of append-only logs
/// @notice Keeps, for each log, the newest head (size and root) that its signer signed, and takes a new head only with
/// a proof that the tree under the old head is a prefix of the tree under the new one. Nobody can replace, shorten or
/// delete what was once accepted: not the log's operator, not its guardian, not whoever deployed the contract.
/// @dev Trees are those of RFC 6962 (SHA-256); proofs are checked as RFC 9162 section 2.1.4.2 says. Heads are signed as
/// EIP-712 `Checkpoint(bytes32 logId,uint64 size,bytes32 root)` under the domain {name: "tlog checkpoint",
/// version: "1"}, on purpose without chain id and contract address: one signature is good on every chain and anyone may
/// carry it there, which can do no harm because a head is a fact about the log, not about a chain. Signatures come in
/// the compact form of EIP-2098 (the top bit of `vs` is the parity of y, the rest is s) and must have s <= n / 2.
interface ICheckpointAnchor {
    /// @notice No log was opened under this id.
    error Unopened();
    /// @notice A log needs a signer: the zero address is what `ecrecover` answers to garbage.
    error ZeroSigner();
    /// @notice Only the guardian the log id commits to may do this.
    error NotGuardian();
    /// @notice The guardian closed this log for good.
    /// @param successor Id of the log that continues it, zero for none.
    error Sealed(bytes32 successor);
    /// @notice The head is already further than the size offered.
    /// @param size Size of the head.
    /// @param root Root of the head.
    error Stale(uint64 size, bytes32 root);
    /// @notice The size offered is that of the head, but the root is another one, or the size is zero.
    /// @param size Size of the head.
    /// @param root Root of the head.
    error Conflict(uint64 size, bytes32 root);
    /// @notice The proof does not lead from the head to what is offered.
    /// @param reason What `verify` answers for it. For the first head, which needs no proof: 2 if one was sent.
    error BadProof(uint8 reason);
    /// @notice The signature is not the current signer's, or its s is above n / 2.
    error BadSignature();
    /// @notice Twice the same root is no fork.
    error NotAFork();

    /// @notice A log was opened; happens once for a log id.
    /// @param logId The log.
    /// @param signer The first signer.
    /// @param guardian Who may rotate and seal, zero for nobody.
    /// @param originHash SHA-256 of the log's origin (its one name, ASCII).
    event Opened(bytes32 indexed logId, address signer, address guardian, bytes32 originHash);
    /// @notice A new head was accepted.
    /// @param logId The log.
    /// @param seq Running number of the heads of this log, from 1.
    /// @param size Size of the new head.
    /// @param root Root of the new head.
    /// @param prevSize Size of the head before, zero for the first.
    /// @param prevRoot Root of the head before, zero for the first.
    event Anchored(
        bytes32 indexed logId, uint64 indexed seq, uint64 size, bytes32 root, uint64 prevSize, bytes32 prevRoot
    );
    /// @notice The guardian replaced the signer. What the old one anchored stays.
    /// @param logId The log.
    /// @param oldSigner Signer until now.
    /// @param newSigner Signer from now on.
    event Rotated(bytes32 indexed logId, address oldSigner, address newSigner);
    /// @notice The guardian closed the log. Its last head stays readable for ever.
    /// @param logId The log.
    /// @param successor Id of the log that continues it, zero for none.
    event LogSealed(bytes32 indexed logId, bytes32 successor);
    /// @notice The current signer signed two different roots for one size: the log showed two faces.
    /// @param logId The log.
    /// @param signer Who signed both.
    /// @param size The size.
    /// @param rootA One root.
    /// @param rootB The other root.
    event Fork(bytes32 indexed logId, address indexed signer, uint64 size, bytes32 rootA, bytes32 rootB);

    /// @notice Opens a log. Anyone may, and may again: the id commits to all three arguments, and a log that is open
    /// stays as it is.
    /// @param signer Who signs heads, until the guardian rotates. Reverts with `ZeroSigner` if zero.
    /// @param guardian Who may rotate and seal; zero gives up both for ever.
    /// @param originHash SHA-256 of the log's origin.
    /// @return logId keccak256(abi.encode(signer, guardian, originHash)).
    function open(address signer, address guardian, bytes32 originHash) external returns (bytes32 logId);

    /// @notice Offers a head. Anyone may: only signature and proof count, not who sends.
    /// @dev Checks, in this order: `Unopened`, `Sealed`, `Stale`; a size equal to the head's returns quietly if the root
    /// is the head's too (so a second relay is no error, and needs neither proof nor signature), else, or for size 0,
    /// `Conflict`; `BadProof`; `BadSignature`.
    /// @param logId The log.
    /// @param size Number of leaves.
    /// @param root RFC 6962 root over them.
    /// @param proof RFC 9162 consistency proof from the head; empty for the first head.
    /// @param r First half of the EIP-2098 signature.
    /// @param vs Second half of the EIP-2098 signature.
    function anchor(bytes32 logId, uint64 size, bytes32 root, bytes32[] calldata proof, bytes32 r, bytes32 vs) external;

    /// @notice Replaces the signer, after a loss or theft of its key. Guardian only.
    /// @dev Checks, in this order: `Unopened`, `NotGuardian`, `Sealed`, `ZeroSigner`.
    /// @param logId The log.
    /// @param newSigner Who signs heads from now on.
    function rotate(bytes32 logId, address newSigner) external;

    /// @notice Closes the log for good, for instance after a thief of the signer's key anchored an extension nobody
    /// else knows. Guardian only.
    /// @dev Checks, in this order: `Unopened`, `NotGuardian`, `Sealed`.
    /// @param logId The log.
    /// @param successor Id of the log that continues it, zero for none. Not looked at: it may be opened later.
    function seal(bytes32 logId, bytes32 successor) external;

    /// @notice Writes evidence of a fork into the chain's history: two signatures of the current signer over different
    /// roots of one size. Anyone may, even after sealing. Changes no state, so nobody can be silenced by it.
    /// @dev Checks, in this order: `Unopened`, `NotAFork`, `BadSignature` (of either).
    /// @param logId The log.
    /// @param size The size both roots claim.
    /// @param rootA One root.
    /// @param rA First half of the signature over it.
    /// @param vsA Second half of the signature over it.
    /// @param rootB The other root.
    /// @param rB First half of the signature over it.
    /// @param vsB Second half of the signature over it.
    function reportFork(
        bytes32 logId,
        uint64 size,
        bytes32 rootA,
        bytes32 rA,
        bytes32 vsA,
        bytes32 rootB,
        bytes32 rB,
        bytes32 vsB
    ) external;

    /// @notice Returns all that is known of a log; all zeros when it was never opened.
    /// @param logId The log.
    /// @return size Size of the newest head, zero when none was anchored.
    /// @return root Root of the newest head.
    /// @return time Time of the block that accepted it, Unix seconds.
    /// @return seq How many heads were accepted.
    /// @return signer Current signer; zero means: never opened.
    /// @return guardian Who may rotate and seal.
    /// @return isSealed Whether it was closed.
    /// @return successor Id of the log that continues it.
    function head(bytes32 logId)
        external
        view
        returns (
            uint64 size,
            bytes32 root,
            uint64 time,
            uint64 seq,
            address signer,
            address guardian,
            bool isSealed,
            bytes32 successor
        );

    /// @notice Checks a consistency proof, for a dry run and for tests: the very code `anchor` uses.
    /// @param m Size of the older tree.
    /// @param n Size of the newer tree.
    /// @param oldRoot Root of the older tree.
    /// @param newRoot Root of the newer tree.
    /// @param proof RFC 9162 consistency proof; must be empty if the sizes are equal.
    /// @return 0 ok; 1 order (m = 0 or m > n); 2 length of the proof; 3 old root; 4 new root.
    function verify(uint64 m, uint64 n, bytes32 oldRoot, bytes32 newRoot, bytes32[] calldata proof)
        external
        view
        returns (uint8);
}
