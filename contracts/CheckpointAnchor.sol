// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICheckpointAnchor} from "./ICheckpointAnchor.sol";

/// @title The anchor of append-only logs
/// @notice See `ICheckpointAnchor`. No owner, no proxy, no pause, no ether.
/// @dev State of one log is five words, of which an anchor reads three and writes two, whatever the size of the log.
/// Roots of former heads are not stored: each is provable against the current one, and stands in the events.
contract CheckpointAnchor is ICheckpointAnchor {
    /// @notice The chain's SHA-256 precompile is missing or gives wrong answers.
    error UnsoundChain();

    /// @dev One word, so that a new head costs one write beside its root.
    struct Head {
        uint64 size;
        uint64 time;
        uint64 seq;
        bool isSealed;
    }

    struct Log {
        bytes32 root;
        Head head;
        address signer; // never zero once the log is open
        address guardian;
        bytes32 successor;
    }

    /// @dev keccak256(abi.encode(keccak256("EIP712Domain(string name,string version)"), keccak256("tlog checkpoint"),
    /// keccak256("1"))); the constructor compares.
    bytes32 private constant DOMAIN_SEPARATOR = 0xfae3ae00ee446613907be99bfd21aa5c3fcc28785bc8e492b33d4a0baa5bcd54;
    bytes32 private constant CHECKPOINT_TYPE = keccak256("Checkpoint(bytes32 logId,uint64 size,bytes32 root)");

    /// @dev Half the order of secp256k1, rounded down. Of the two s that sign the same, only the one not above it counts.
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @dev Answers of `verify`.
    uint8 private constant OK = 0;
    uint8 private constant BAD_ORDER = 1;
    uint8 private constant BAD_LENGTH = 2;
    uint8 private constant BAD_OLD_ROOT = 3;
    uint8 private constant BAD_NEW_ROOT = 4;

    mapping(bytes32 logId => Log) private _logs;

    /// @notice Refuses a chain whose SHA-256 is not SHA-256: tried on no bytes, and on the RFC 6962 tree over two
    /// leaves, "" and 0x00.
    constructor() {
        bytes32 emptyRoot = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;
        bytes32 rootOfTwo = 0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125;
        if (sha256("") != emptyRoot) revert UnsoundChain();
        if (_node(sha256(hex"00"), sha256(hex"0000")) != rootOfTwo) revert UnsoundChain();
        bytes32 domainType = keccak256("EIP712Domain(string name,string version)");
        assert(DOMAIN_SEPARATOR == keccak256(abi.encode(domainType, keccak256("tlog checkpoint"), keccak256("1"))));
    }

    /// @inheritdoc ICheckpointAnchor
    function open(address signer, address guardian, bytes32 originHash) external returns (bytes32 logId) {
        if (signer == address(0)) revert ZeroSigner();
        logId = keccak256(abi.encode(signer, guardian, originHash));
        Log storage log = _logs[logId];
        if (log.signer != address(0)) return logId;
        log.signer = signer;
        log.guardian = guardian;
        emit Opened(logId, signer, guardian, originHash);
    }

    /// @inheritdoc ICheckpointAnchor
    function anchor(bytes32 logId, uint64 size, bytes32 root, bytes32[] calldata proof, bytes32 r, bytes32 vs)
        external
    {
        Log storage log = _logs[logId];
        address signer = log.signer;
        if (signer == address(0)) revert Unopened();
        Head memory last = log.head;
        if (last.isSealed) revert Sealed(log.successor);
        bytes32 lastRoot = log.root;
        if (size < last.size) revert Stale(last.size, lastRoot);
        if (size == last.size) {
            if (size == 0 || root != lastRoot) revert Conflict(last.size, lastRoot);
            return;
        }
        uint8 reason = last.size == 0
            ? (proof.length == 0 ? OK : BAD_LENGTH)
            : _consistency(last.size, size, lastRoot, root, proof);
        if (reason != OK) revert BadProof(reason);
        if (!_isSigned(signer, logId, size, root, r, vs)) revert BadSignature();

        log.root = root;
        log.head = Head({size: size, time: uint64(block.timestamp), seq: last.seq + 1, isSealed: false});
        emit Anchored(logId, last.seq + 1, size, root, last.size, lastRoot);
    }

    /// @inheritdoc ICheckpointAnchor
    function rotate(bytes32 logId, address newSigner) external {
        Log storage log = _guarded(logId);
        if (newSigner == address(0)) revert ZeroSigner();
        address oldSigner = log.signer;
        log.signer = newSigner;
        emit Rotated(logId, oldSigner, newSigner);
    }

    /// @inheritdoc ICheckpointAnchor
    function seal(bytes32 logId, bytes32 successor) external {
        Log storage log = _guarded(logId);
        log.head.isSealed = true;
        log.successor = successor;
        emit LogSealed(logId, successor);
    }

    /// @inheritdoc ICheckpointAnchor
    function reportFork(
        bytes32 logId,
        uint64 size,
        bytes32 rootA,
        bytes32 rA,
        bytes32 vsA,
        bytes32 rootB,
        bytes32 rB,
        bytes32 vsB
    ) external {
        address signer = _logs[logId].signer;
        if (signer == address(0)) revert Unopened();
        if (rootA == rootB) revert NotAFork();
        if (!_isSigned(signer, logId, size, rootA, rA, vsA)) revert BadSignature();
        if (!_isSigned(signer, logId, size, rootB, rB, vsB)) revert BadSignature();
        emit Fork(logId, signer, size, rootA, rootB);
    }

    /// @inheritdoc ICheckpointAnchor
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
        )
    {
        Log storage log = _logs[logId];
        Head storage last = log.head;
        return (last.size, log.root, last.time, last.seq, log.signer, log.guardian, last.isSealed, log.successor);
    }

    /// @inheritdoc ICheckpointAnchor
    function verify(uint64 m, uint64 n, bytes32 oldRoot, bytes32 newRoot, bytes32[] calldata proof)
        external
        view
        returns (uint8)
    {
        return _consistency(m, n, oldRoot, newRoot, proof);
    }

    /// @dev The checks that `rotate` and `seal` share.
    function _guarded(bytes32 logId) private view returns (Log storage log) {
        log = _logs[logId];
        if (log.signer == address(0)) revert Unopened();
        if (msg.sender != log.guardian) revert NotGuardian();
        if (log.head.isSealed) revert Sealed(log.successor);
    }

    /// @dev Whether `signer`, which is not zero, signed this head. `ecrecover` answers garbage with zero.
    function _isSigned(address signer, bytes32 logId, uint64 size, bytes32 root, bytes32 r, bytes32 vs)
        private
        pure
        returns (bool)
    {
        uint256 s = uint256(vs) & (type(uint256).max >> 1);
        if (s > MAX_S) return false;
        bytes32 structHash = keccak256(abi.encode(CHECKPOINT_TYPE, logId, size, root));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR, structHash));
        return ecrecover(digest, uint8(27 + (uint256(vs) >> 255)), r, bytes32(s)) == signer;
    }

    /// @dev RFC 9162 section 2.1.4.2, whose names (fn, sn, fr, sr, c) and steps these are. Whether the length of a proof
    /// is right depends on the sizes alone, so 2 is found before 3 and 4 whatever the hashes.
    function _consistency(uint256 m, uint256 n, bytes32 oldRoot, bytes32 newRoot, bytes32[] calldata proof)
        private
        view
        returns (uint8)
    {
        if (m == 0 || m > n) return BAD_ORDER;
        if (m == n) {
            if (proof.length != 0) return BAD_LENGTH;
            return oldRoot == newRoot ? OK : BAD_NEW_ROOT;
        }
        if (proof.length == 0) return BAD_LENGTH; // step 1
        uint256 fn = m - 1; // step 3
        uint256 sn = n - 1;
        while (fn & 1 == 1) {
            // step 4
            fn >>= 1;
            sn >>= 1;
        }
        // steps 2 and 5: the old tree is one perfect subtree if m is a power of two, and its root is known
        uint256 i = m & (m - 1) == 0 ? 0 : 1;
        bytes32 fr = i == 0 ? oldRoot : proof[0];
        bytes32 sr = fr;
        for (; i < proof.length; ++i) {
            // step 6
            if (sn == 0) return BAD_LENGTH;
            bytes32 c = proof[i];
            if (fn & 1 == 1 || fn == sn) {
                fr = _node(c, fr);
                sr = _node(c, sr);
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                sr = _node(sr, c);
            }
            fn >>= 1;
            sn >>= 1;
        }
        if (sn != 0) return BAD_LENGTH; // step 7
        if (fr != oldRoot) return BAD_OLD_ROOT;
        return sr == newRoot ? OK : BAD_NEW_ROOT;
    }

    /// @dev RFC 6962 section 2.1, hash of an interior node: sha256(abi.encodePacked(hex"01", left, right)), whose bytes
    /// are laid out here by hand beyond the free memory pointer, which stays. Written plainly, every call takes new
    /// memory and copies twice: measured, an anchor at a billion entries then costs 90,900 gas instead of 72,300. The
    /// precompile fails only for want of gas; that it exists and is SHA-256 is what the constructor tries.
    function _node(bytes32 left, bytes32 right) private view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 1)
            mstore(add(free, 1), left)
            mstore(add(free, 33), right)
            if iszero(staticcall(gas(), 2, free, 65, 0, 32)) { revert(0, 0) }
            hash := mload(0)
        }
    }
}
