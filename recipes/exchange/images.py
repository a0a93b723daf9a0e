"""Images of questions: what kind they are, how large, smaller or larger copies of PNGs, data URLs.

In: bytes of a file. Out: kind and pixels from the header; PNG bytes at another size; a data URL. Or
an ImageError in one line. The standard library has no JPEG, WebP or GIF decoder: those are sent as
they are, and resizing one is an error.
Bounded: bytes, pixels, and what a compressed stream may unpack to. PNG: W3C Portable Network
Graphics, third edition.
"""

import base64
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import repeat
from operator import add, mul
from typing import NamedTuple

from ..base.errors import Refused

MAX_FILE = 20_000_000
# of a PNG that is resized: the photographs of a telephone; a second or two for each million
MAX_PIXELS = 12_000_000
MAX_SIDE = 100_000
PIECE = 1_000_000  # bytes unpacked at a time
SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {
    0: 1,
    2: 3,
    3: 1,
    4: 2,
    6: 4,
}  # by PNG colour type: gray, RGB, palette, gray + alpha, RGBA


class ImageError(Refused):
    """An image that cannot be used: one line, without the file's name."""


class Header(NamedTuple):
    """What the first bytes say: png, jpeg, webp or gif; pixels."""

    kind: str
    width: int
    height: int


class Pixels(NamedTuple):
    """Decoded rows of 8-bit samples, interleaved; read once, from above. channels: 1 gray, 2 gray +
    alpha, 3 RGB, 4 RGBA.
    """

    width: int
    height: int
    channels: int
    rows: Iterable[bytes]


def header(data: bytes) -> Header:
    """Kind and size. Raises ImageError for what is none of the four kinds, torn or empty."""
    try:
        found = _header(data)
    except (struct.error, IndexError):
        raise ImageError("the file ends inside its header") from None
    if found is None:
        raise ImageError("not a PNG, JPEG, WebP or GIF image")
    if not (0 < found.width <= MAX_SIDE and 0 < found.height <= MAX_SIDE):
        raise ImageError(f"{found.width} x {found.height} pixels are no image")
    return found


def _header(data: bytes) -> Header | None:
    if data.startswith(SIGNATURE):
        if data[12:16] != b"IHDR":
            raise ImageError("a PNG without IHDR")
        return Header("png", *struct.unpack(">II", data[16:24]))
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return Header("gif", *struct.unpack("<HH", data[6:10]))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        if len(data) < 30:
            raise IndexError
        if data[12:16] == b"VP8X":
            return Header(
                "webp",
                int.from_bytes(data[24:27], "little") + 1,
                int.from_bytes(data[27:30], "little") + 1,
            )
        if data[12:16] == b"VP8L":
            (bits,) = struct.unpack("<I", data[21:25])
            return Header("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        if data[12:16] == b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return Header("webp", width & 0x3FFF, height & 0x3FFF)
    return None


def _jpeg(data: bytes) -> Header:
    """The size stands in the frame header (SOF0-SOF15 but DHT, JPG and DAC)."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ImageError("a broken JPEG (no marker where one must stand)")
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return Header("jpeg", width, height)
        elif marker in (0xD9, 0xDA):
            raise ImageError("a JPEG without a frame header")
        else:
            (length,) = struct.unpack(">H", data[at + 2 : at + 4])
            at += 2 + max(length, 2)


def data_url(data: bytes, kind: str) -> str:
    """RFC 2397."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    """The size with `longest` as its longer side and the same aspect ratio."""
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def resized(data: bytes, longest: int) -> bytes:
    """A PNG whose longer side is `longest` pixels; the bytes as they are if it has that size.
    Raises ImageError.
    """
    found = header(data)
    if found.kind != "png":
        raise ImageError(
            f"a {found.kind.upper()} cannot be resized without an image library: convert it to PNG"
            " first, or leave out --resize"
        )
    size = fitted(found.width, found.height, longest)
    if size == (found.width, found.height):
        return data
    return encode(scale(decode(data), *size))


# --- PNG
# ------------------------------------------------------------------------------------------


def _chunks(data: bytes):
    """(name, body) of each chunk until IEND; the checksums are checked."""
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if len(body) < length or len(data) < at + 12 + length:
            break
        if (
            zlib.crc32(name + body)
            != struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        ):
            raise ImageError(f"a broken PNG (checksum of {name.decode('latin-1')!r})")
        yield name, body
        if name == b"IEND":
            return
        at += 12 + length
    raise ImageError("a PNG that is cut short")


def decode(data: bytes) -> Pixels:
    """Samples of a PNG that is not interlaced. Depths below 8 are scaled up, 16 is cut to 8;
    palettes become RGB(A). Raises ImageError, also while its rows are read.
    """
    width, height = header(data)[1:]
    if width * height > MAX_PIXELS:
        raise ImageError(f"{width} x {height} pixels: at most {MAX_PIXELS:,} are resized here")
    packed, palette, transparent, info = [], b"", b"", None
    for name, body in _chunks(data):
        if name == b"IHDR":
            info = body
        elif name == b"PLTE":
            palette = body
        elif name == b"tRNS":
            transparent = body
        elif name == b"IDAT":
            packed.append(body)
    if info is None or len(info) != 13:
        raise ImageError("a broken PNG (IHDR)")
    depth, colour, compression, filtering, interlace = info[8:13]
    if interlace:
        raise ImageError("an interlaced PNG: save it without interlacing")
    if (
        colour not in CHANNELS
        or depth
        not in ((1, 2, 4, 8) if colour == 3 else (1, 2, 4, 8, 16) if colour == 0 else (8, 16))
        or compression
        or filtering
    ):
        raise ImageError(f"a PNG of an unknown form (colour type {colour}, {depth} bits)")
    if transparent and colour != 3:
        raise ImageError(
            "a PNG with a transparent colour key: save it with an alpha channel or without"
            " transparency"
        )
    channels = CHANNELS[colour]
    bits = channels * depth
    rows = _unfilter(packed, (width * bits + 7) // 8, height, max(1, bits // 8))
    if depth == 16:
        rows = (row[::2] for row in rows)
    elif depth < 8:
        rows = (_unpack(row, depth, width, colour != 3) for row in rows)
    if colour == 3:
        return _paletted(width, height, rows, palette, transparent)
    return Pixels(width, height, channels, rows)


def _lines(packed: list[bytes], whole: int) -> Iterator[bytes]:
    """The unpacked bytes in pieces: never more than the pixels need, whatever the stream holds."""
    unpacker = zlib.decompressobj()
    left = whole + 1
    try:
        for body in packed:
            while body and left > 0:
                piece = unpacker.decompress(body, min(left, PIECE))
                left -= len(piece)
                body = unpacker.unconsumed_tail
                yield piece
    except zlib.error:
        raise ImageError("a broken PNG (its pixels do not unpack)") from None
    if left != 1:
        raise ImageError("a broken PNG (more or fewer pixels than its header says)")


def _unfilter(packed: list[bytes], stride: int, height: int, back: int) -> Iterator[bytes]:
    """Rows without their filters. back: bytes of a whole pixel."""
    above, held = bytes(stride), bytearray()
    adder = _Adder(stride)
    for piece in _lines(packed, (stride + 1) * height):
        held += piece
        at = 0
        while len(held) - at > stride:
            above = _plain(held[at], bytes(held[at + 1 : at + 1 + stride]), above, back, adder)
            at += stride + 1
            yield above
        del held[:at]


class _Adder:
    """Bytes of two rows added modulo 256, all at once: the rows are one large number each, and no
    carry passes from byte to byte.
    """

    def __init__(self, stride: int):
        self.stride = stride
        self.low = int.from_bytes(b"\x7f" * stride, "little")
        self.high = int.from_bytes(b"\x80" * stride, "little")
        self.all = self.low | self.high

    def plus(self, x: int, y: int) -> int:
        return ((x & self.low) + (y & self.low)) ^ ((x ^ y) & self.high)

    def sums(self, line: bytes, back: int) -> bytes:
        """Each byte and all those `back`, 2 `back` … before it: by doubling the distance."""
        value, distance = int.from_bytes(line, "little"), back
        while distance < self.stride:
            value = self.plus(value, value << 8 * distance & self.all)
            distance *= 2
        return value.to_bytes(self.stride, "little")

    def rows(self, line: bytes, above: bytes) -> bytes:
        both = self.plus(int.from_bytes(line, "little"), int.from_bytes(above, "little"))
        return both.to_bytes(self.stride, "little")


def _plain(kind: int, line: bytes, above: bytes, back: int, adder: _Adder) -> bytes:
    """A row without its filter."""
    if kind == 1:
        return adder.sums(line, back)
    if kind == 2:
        return adder.rows(line, above)
    if kind == 3:
        out = bytearray(line)
        for i in range(len(line)):
            out[i] = (line[i] + ((out[i - back] if i >= back else 0) + above[i]) // 2) & 255
        return bytes(out)
    if kind == 4:
        return _paeth(line, above, back)
    if kind:
        raise ImageError("a broken PNG (unknown filter)")
    return line


def _paeth(line: bytes, above: bytes, back: int) -> bytes:
    """The Paeth filter undone: of left, above and above left the one nearest to left + above -
    above left, left first.
    """
    out = bytearray(len(line))
    for c in range(back):
        left = corner = 0
        channel = []
        for x, up in zip(line[c::back], above[c::back]):
            to_left, to_up = up - corner, left - corner
            to_corner = abs(to_left + to_up)
            to_left, to_up = abs(to_left), abs(to_up)
            near = (
                left
                if to_left <= to_up and to_left <= to_corner
                else up
                if to_up <= to_corner
                else corner
            )
            left, corner = (x + near) & 255, up
            channel.append(left)
        out[c::back] = bytes(channel)
    return bytes(out)


def _unpack(row: bytes, depth: int, width: int, gray: bool) -> bytes:
    """One byte a sample from 1, 2 or 4 bits; gray is scaled to 0 … 255, palette indices not."""
    top = (1 << depth) - 1
    factor = 255 // top if gray else 1
    shifts = range(8 - depth, -1, -depth)
    return bytes([(byte >> shift & top) * factor for byte in row for shift in shifts][:width])


def _paletted(
    width: int, height: int, rows: Iterable[bytes], palette: bytes, alpha: bytes
) -> Pixels:
    count = len(palette) // 3
    if not count or len(palette) % 3:
        raise ImageError("a broken PNG (palette)")
    planes = [palette[c::3].ljust(256, b"\0") for c in range(3)] + (
        [alpha[:256].ljust(256, b"\xff")] if alpha else []
    )

    def coloured() -> Iterator[bytes]:
        for row in rows:
            if max(row) >= count:
                raise ImageError("a broken PNG (palette)")
            mixed = bytearray(width * len(planes))
            for c, plane in enumerate(planes):
                mixed[c :: len(planes)] = row.translate(plane)
            yield bytes(mixed)

    return Pixels(width, height, len(planes), coloured())


def encode(image: Pixels) -> bytes:
    """A PNG, each row as differences from the row above."""
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[image.channels]
    above = bytes(image.width * image.channels)
    lines = []
    for row in image.rows:
        lines.append(b"\2" + bytes([(x - y) & 255 for x, y in zip(row, above)]))
        above = row

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", image.width, image.height, 8, colour, 0, 0, 0)
    return (
        SIGNATURE
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"".join(lines), 6))
        + chunk(b"IEND", b"")
    )


# --- another size
# ------------------------------------------------------------------------------------------


def _weights(before: int, after: int) -> list[tuple[int, tuple[float, ...]]]:
    """For each new sample the first old one and the weights from there: a triangle as wide as a new
    sample, at least as an old one.

    Enlarging this is bilinear interpolation; making smaller it averages all that a new pixel
    covers, so nothing aliases.
    """
    step = before / after
    reach = max(step, 1.0)
    out = []
    for i in range(after):
        centre = (i + 0.5) * step - 0.5
        first, last = (
            max(0, int(centre - reach) + (centre > reach)),
            min(before - 1, int(centre + reach)),
        )
        raw = [max(0.0, 1 - abs(j - centre) / reach) for j in range(first, last + 1)]
        total = sum(raw)
        out.append((first, tuple(w / total for w in raw)))
    return out


def _grouped(samples: list, k: int) -> list:
    """Sums of k samples each; the last ones are completed by repeating the last."""
    if k == 1:
        return samples
    samples = samples + samples[-1:] * (-len(samples) % k)
    sums = samples[0::k]
    for t in range(1, k):
        sums = list(map(add, sums, samples[t::k]))
    return sums


def _narrowed(
    rows: Iterable[bytes], channels: int, k: int, across: list[tuple[int, tuple[float, ...]]]
) -> Iterator[list[float]]:
    """Each row at its new width, one channel after the other; colours times their alpha."""
    for row in rows:
        planes = [list(row[c::channels]) for c in range(channels)]
        if channels in (2, 4):
            planes = [*(list(map(mul, plane, planes[-1])) for plane in planes[:-1]), planes[-1]]
        out: list[float] = []
        for plane in planes:
            sums = _grouped(plane, k)
            if len(sums) == len(across):
                out += sums
            else:
                out += [sum(map(mul, w, sums[first : first + len(w)])) for first, w in across]
        yield out


def _in_groups(rows: Iterator[list[float]], k: int) -> Iterator[list[float]]:
    """Sums of k rows each, as _grouped."""
    for row in rows:
        total = row
        for _ in range(k - 1):
            row = next(rows, row)
            total = list(map(add, total, row))
        yield total


def scale(image: Pixels, width: int, height: int) -> Pixels:
    """The image at another size; colours are weighted by their alpha, so that hidden ones do not
    bleed. To less than half, whole groups of samples are averaged first.
    """
    channels = image.channels
    k, m = max(1, image.width // width), max(1, image.height // height)
    across = _weights(-(-image.width // k), width)
    down = _weights(-(-image.height // m), height)
    source = _in_groups(_narrowed(image.rows, channels, k, across), m)
    held: dict[int, list[float]] = {}  # only the rows that a new row still needs
    rows = []
    read = 0
    for first, weights in down:
        for j in [j for j in held if j < first]:
            del held[j]
        mixed: list[float] = [0.0] * (width * channels)
        for j, weight in enumerate(weights, first):
            while read <= j:
                held[read] = next(source)
                read += 1
            mixed = list(map(add, mixed, map(mul, repeat(weight / (k * m)), held[j])))
        rows.append(_pixels(mixed, width, channels))
    for _ in source:  # to its end: a file that is cut short is an error
        pass
    return Pixels(width, height, channels, rows)


def _pixels(mixed: list[float], width: int, channels: int) -> bytes:
    """A row of samples from its channels, colours divided by their alpha again."""
    planes = [mixed[c * width : (c + 1) * width] for c in range(channels)]
    if channels in (2, 4):
        alpha = planes[-1]
        colours = ([v / a if a > 0 else 0.0 for v, a in zip(plane, alpha)] for plane in planes[:-1])
        planes = [*colours, alpha]
    row = bytearray(width * channels)
    for c, plane in enumerate(planes):
        row[c::channels] = bytes([min(255, int(v + 0.5)) for v in plane])
    return bytes(row)
