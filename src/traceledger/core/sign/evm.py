# SPDX-License-Identifier: Apache-2.0
"""
Keccak-256 and the recovery of secp256k1 signers, as Ethereum uses them.

A verifier needs both to check the line that an anchor signer adds to a checkpoint (section 6 of the format
specification) and must not need a chain library for it, so they are written out here: FIPS 202's
permutation with Keccak's original padding, SEC 1 section 4.1.6 with the low-s rule of EIP-2.  Secret keys are
never handled here, hence nothing runs in constant time; signing belongs to `chain.sender`.
"""

from typing import Final

from traceledger.errors import VerificationError

# --- Keccak-256 -----------------------------------------------------------------------------------------------

_MASK: Final = 2**64 - 1
_RATE: Final = 136


def _permutation_constants() -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Return the 24 round constants and, along rho and pi's walk, (target lane, rotation): FIPS 202 section 3.2."""
    rounds, register = [], 1
    for _ in range(24):
        constant = 0
        for bit in range(7):
            constant |= (register & 1) << (2**bit - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        rounds.append(constant)
    walk, x, y = [], 1, 0
    for step in range(1, 25):
        x, y = y, (2 * x + 3 * y) % 5
        walk.append((x + 5 * y, step * (step + 1) // 2 % 64))
    return tuple(rounds), tuple(walk)


_ROUNDS, _WALK = _permutation_constants()


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 of *data* (Ethereum's; SHA3-256 pads differently)."""
    padded = bytearray(data)
    padded += bytes(_RATE - len(data) % _RATE)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            at = start + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permute(a: list[int]) -> None:
    for constant in _ROUNDS:
        # theta
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        for x in range(5):
            d = c[x - 1] ^ _rotate(c[(x + 1) % 5], 1)
            for y in range(0, 25, 5):
                a[y + x] ^= d
        # rho and pi
        moving = a[1]
        for target, distance in _WALK:
            moving, a[target] = a[target], _rotate(moving, distance)
        # chi
        for y in range(0, 25, 5):
            row = a[y : y + 5]
            for x in range(5):
                a[y + x] = row[x] ^ ~row[(x + 1) % 5] & row[(x + 2) % 5]
        # iota
        a[0] ^= constant


def _rotate(lane: int, distance: int) -> int:
    return (lane << distance | lane >> (64 - distance)) & _MASK


# --- secp256k1 ------------------------------------------------------------------------------------------------

_P: Final = 2**256 - 2**32 - 977
_N: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_G: Final = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)

_Jacobian = tuple[int, int, int]  # (X, Y, Z) stands for (X/Z^2, Y/Z^3); Z = 0 is the point at infinity


def address_of(public_key: bytes) -> bytes:
    """Return the 20-byte address of an uncompressed 64-byte secp256k1 *public_key* (x || y)."""
    if len(public_key) != 64:
        raise ValueError(f"expected a 64-byte public key, got {len(public_key)} bytes")
    return keccak256(public_key)[12:]


def recover_address(digest: bytes, r: bytes, s: bytes, v: int) -> bytes:
    """
    Return the 20-byte address of whoever signed the 32-byte *digest*.

    Args:
        digest: What was signed.

        r: 32 bytes, 0 < r < n.

        s: 32 bytes, 0 < s <= n / 2: of the two values that sign the same, only the lower counts.

        v: 27 or 28.

    Raises:
        VerificationError: code ``signature-form`` if the values are out of range, ``signature-invalid`` if no
            key could have made this signature.
    """
    x, factor = int.from_bytes(r, "big"), int.from_bytes(s, "big")
    if len(digest) != 32 or len(r) != 32 or len(s) != 32 or v not in (27, 28):
        raise VerificationError(
            "expected a 32-byte digest, r and s, and v of 27 or 28", code="signature-form"
        )
    if not 0 < x < _N or not 0 < factor <= _N // 2:
        raise VerificationError("expected r and s within the group order, and a low s", code="signature-form")
    y_squared = (pow(x, 3, _P) + 7) % _P
    y = pow(y_squared, (_P + 1) // 4, _P)
    if y * y % _P != y_squared:
        raise VerificationError("r is not the abscissa of a point of the curve", code="signature-invalid")
    if y & 1 != v - 27:
        y = _P - y
    # Q = r^-1 (s R - z G)
    inverse = pow(x, -1, _N)
    by_g = -int.from_bytes(digest, "big") * inverse % _N
    key = _to_affine(_add(_multiply(_G, by_g), _multiply((x, y), factor * inverse % _N)))
    if key is None:
        raise VerificationError("the signature leads to the point at infinity", code="signature-invalid")
    return address_of(key[0].to_bytes(32, "big") + key[1].to_bytes(32, "big"))


def to_compact(r: bytes, s: bytes, v: int) -> tuple[bytes, bytes]:
    """Return (r, vs), the EIP-2098 form the contract takes: the top bit of vs is the parity, the rest is s."""
    if v not in (27, 28) or len(s) != 32 or s[0] & 0x80:
        raise VerificationError("expected v of 27 or 28 and a low s", code="signature-form")
    return r, bytes([s[0] | (v - 27) << 7]) + s[1:]


def _multiply(point: tuple[int, int], factor: int) -> _Jacobian:
    result, addend = (0, 1, 0), (*point, 1)
    while factor:
        if factor & 1:
            result = _add(result, addend)
        addend = _double(addend)
        factor >>= 1
    return result


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    y2 = y * y % _P
    s = 4 * x * y2 % _P
    m = 3 * x * x % _P
    x3 = (m * m - 2 * s) % _P
    return x3, (m * (s - x3) - 8 * y2 * y2) % _P, 2 * y * z % _P


def _add(one: _Jacobian, two: _Jacobian) -> _Jacobian:
    if not one[2]:
        return two
    if not two[2]:
        return one
    (x1, y1, z1), (x2, y2, z2) = one, two
    zz1, zz2 = z1 * z1 % _P, z2 * z2 % _P
    u1, u2 = x1 * zz2 % _P, x2 * zz1 % _P
    s1, s2 = y1 * zz2 * z2 % _P, y2 * zz1 * z1 % _P
    if u1 == u2:
        return _double(one) if s1 == s2 else (0, 1, 0)
    h, r = u2 - u1, s2 - s1
    h2 = h * h % _P
    h3, u1h2 = h * h2 % _P, u1 * h2 % _P
    x3 = (r * r - h3 - 2 * u1h2) % _P
    return x3, (r * (u1h2 - x3) - s1 * h3) % _P, h * z1 * z2 % _P


def _to_affine(point: _Jacobian) -> tuple[int, int] | None:
    x, y, z = point
    if not z:
        return None
    inverse = pow(z, -1, _P)
    return x * inverse * inverse % _P, y * pow(inverse, 3, _P) % _P
