"""Images of questions: headers, PNG in and out, other sizes, broken and hostile files."""

import random
import struct
import tracemalloc
import unittest
import zlib

from recipes.exchange import images

from .chat_server import JPEG, png


def filtered(rows: list[bytes], back: int, kinds) -> bytes:
    """Rows with PNG filters applied by the definition in the standard."""
    out, above = b"", bytes(len(rows[0]))
    for kind, row in zip(kinds, rows):
        line = bytearray()
        for i, x in enumerate(row):
            a, b, c = (
                row[i - back] if i >= back else 0,
                above[i],
                above[i - back] if i >= back else 0,
            )
            p = a + b - c
            paeth = min((abs(p - v), n, v) for n, v in enumerate((a, b, c)))[2]
            line.append((x - (0, a, b, (a + b) // 2, paeth)[kind]) & 255)
        out += bytes([kind]) + line
        above = row
    return out


def raw_png(width, height, depth, colour, packed: bytes, extra=(), interlace=0) -> bytes:
    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    return (
        images.SIGNATURE
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
        + b"".join(chunk(*e) for e in extra)
        + chunk(b"IDAT", zlib.compress(packed))
        + chunk(b"IEND", b"")
    )


def whole(data: bytes) -> images.Pixels:
    """A decoded PNG with all its rows."""
    value = images.decode(data)
    return value._replace(rows=list(value.rows))


def webp_head() -> bytes:
    return b"RIFF\0\0\0\0WEBPVP8X"


class Pictures(unittest.TestCase):
    def test_every_filter(self):
        chance = random.Random(1)
        for colour, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
            rows = [bytes(chance.randrange(256) for _ in range(7 * channels)) for _ in range(10)]
            data = raw_png(7, 10, 8, colour, filtered(rows, channels, [0, 1, 2, 3, 4] * 2))
            self.assertEqual(whole(data), images.Pixels(7, 10, channels, rows))

    def test_depths_and_palettes(self):
        self.assertEqual(whole(raw_png(10, 1, 1, 0, b"\0\xaa\x80")).rows, [bytes([255, 0] * 5)])
        self.assertEqual(whole(raw_png(3, 1, 4, 0, b"\0\x0f\x70")).rows, [bytes([0, 255, 119])])
        self.assertEqual(whole(raw_png(2, 1, 16, 0, b"\0\x12\x34\xff\x00")).rows, [b"\x12\xff"])
        palette = (b"PLTE", bytes([1, 2, 3, 4, 5, 6]))
        self.assertEqual(
            whole(raw_png(3, 1, 2, 3, b"\0\x10", [palette])),
            images.Pixels(3, 1, 3, [bytes([1, 2, 3, 4, 5, 6, 1, 2, 3])]),
        )
        self.assertEqual(
            whole(raw_png(2, 1, 8, 3, b"\0\0\1", [palette, (b"tRNS", b"\x80")])).rows,
            [bytes([1, 2, 3, 128, 4, 5, 6, 255])],
        )

    def test_encode_and_decode_are_inverse(self):
        chance = random.Random(2)
        for channels in (1, 2, 3, 4):
            value = images.Pixels(
                5,
                9,
                channels,
                [bytes(chance.randrange(256) for _ in range(5 * channels)) for _ in range(9)],
            )
            self.assertEqual(whole(images.encode(value)), value)

    def test_scaling(self):
        for size in ((3, 2), (8, 6), (13, 40), (1, 1)):
            same = images.scale(images.Pixels(8, 6, 3, [bytes([10, 20, 30] * 8)] * 6), *size)
            self.assertEqual(
                (set(same.rows), len(same.rows)), ({bytes([10, 20, 30] * size[0])}, size[1])
            )
        chance = random.Random(3)
        rows = [bytes(chance.randrange(256) for _ in range(32)) for _ in range(32)]
        small = images.scale(images.Pixels(32, 32, 1, rows), 4, 4)
        self.assertAlmostEqual(sum(map(sum, small.rows)) / 16, sum(map(sum, rows)) / 1024, delta=6)
        # bilinear
        self.assertEqual(
            images.scale(images.Pixels(2, 1, 1, [bytes([0, 100])]), 4, 1).rows,
            [bytes([0, 25, 75, 100])],
        )
        stripes = images.scale(images.Pixels(64, 1, 1, [bytes([0, 255] * 32)]), 8, 1).rows[0]
        # no aliasing
        self.assertTrue(all(100 < v < 155 for v in stripes), stripes)

    def test_hidden_colours_do_not_bleed(self):
        out = images.scale(
            images.Pixels(2, 1, 4, [bytes([255, 0, 0, 255, 0, 255, 0, 0])]), 1, 1
        ).rows[0]
        self.assertEqual((out[0], out[1]), (255, 0))

    def test_resized(self):
        data = png(200, 100)
        self.assertEqual(images.header(images.resized(data, 50)), images.Header("png", 50, 25))
        self.assertIs(images.resized(data, 200), data)
        self.assertEqual(images.header(images.resized(png(300, 1), 20))[1:], (20, 1))
        with self.assertRaisesRegex(images.ImageError, "convert it to PNG"):
            images.resized(JPEG, 50)

    def test_headers(self):
        webp = b"RIFF\0\0\0\0WEBP"
        for data, expected in (
            (png(8, 6), ("png", 8, 6)),
            (JPEG, ("jpeg", 640, 480)),
            (b"GIF89a\x05\x00\x04\x00", ("gif", 5, 4)),
            (webp + b"VP8X" + bytes(8) + b"\x7f\x02\x00\xdf\x01\x00", ("webp", 640, 480)),
            (
                webp + b"VP8L\0\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14) + bytes(5),
                ("webp", 640, 480),
            ),
            (webp + b"VP8 " + bytes(10) + struct.pack("<HH", 640, 480), ("webp", 640, 480)),
        ):
            self.assertEqual(images.header(data), images.Header(*expected))

    def test_broken_files(self):
        good = png(9, 9)
        for data in (
            b"",
            b"hello",
            good[:20],
            JPEG[:5],
            b"\xff\xd8\xff\xd9",
            b"\xff\xd8xx",
            webp_head(),
            b"GIF89a",
            raw_png(0, 5, 8, 0, b""),
        ):
            with self.assertRaises(images.ImageError, msg=data[:20]):
                images.header(data)
        flipped = bytearray(good)
        flipped[45] ^= 1
        for data in (
            bytes(flipped),
            good[:-20],
            raw_png(9, 9, 8, 2, b"short"),
            raw_png(9, 9, 8, 2, bytes(9 * 28), interlace=1),
            raw_png(2, 1, 8, 0, b"\7ab"),
            raw_png(2, 1, 3, 0, b"\0a"),
            raw_png(2, 1, 8, 5, b"\0abc"),
            raw_png(1, 1, 8, 3, b"\0\5", [(b"PLTE", b"abc")]),
            raw_png(1, 1, 8, 3, b"\0\0"),
            raw_png(2, 1, 8, 0, b"\0ab", [(b"tRNS", b"\0\1")]),
            raw_png(90_000, 90_000, 8, 2, b""),
            raw_png(4, 4, 8, 0, bytes(1000)),
        ):
            with self.assertRaises(images.ImageError):
                whole(data)

    def test_a_large_image_takes_little_memory_and_a_larger_one_is_refused(self):
        side = 500
        line = bytes(range(250)) * 6
        data = raw_png(side, side, 8, 2, b"\0" + line + (b"\2" + bytes(3 * side)) * (side - 1))
        tracemalloc.start()
        try:
            small = images.resized(data, 100)
            # the picture itself has 0.75 MB; what is held at a time are lists of some rows
            self.assertLess(tracemalloc.get_traced_memory()[1], 2_500_000)
        finally:
            tracemalloc.stop()
        rows = whole(small).rows
        self.assertEqual((len(rows), set(rows)), (100, {rows[0]}))
        with self.assertRaisesRegex(images.ImageError, "12,000,000"):
            images.resized(raw_png(5000, 5000, 8, 0, b""), 2000)

    def test_a_small_file_does_not_unpack_to_a_large_one(self):
        bomb = raw_png(4, 4, 8, 0, bytes(20_000_000))
        tracemalloc.start()
        try:
            with self.assertRaises(images.ImageError):
                whole(bomb)
            self.assertLess(tracemalloc.get_traced_memory()[1], 2_000_000)
        finally:
            tracemalloc.stop()


if __name__ == "__main__":
    unittest.main()
