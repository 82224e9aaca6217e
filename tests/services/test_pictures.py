"""An uploaded picture is looked into, made anew and kept; anything else is refused with a sentence."""

import io
import os
import struct
import time
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms

from storefront.domain.errors import BadInput
from storefront.domain.pictures import largest, picture
from storefront.services import editing, pictures
from tests.services.town import Town


def file(
    kind: str, size: tuple[int, int] = (900, 600), mode: str = "RGB", **options: object
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else 128).save(out, kind, **options)
    return out.getvalue()


def opened(town: Town, name: str) -> Image.Image:
    return Image.open(io.BytesIO((town.shop.settings.pictures / name).read_bytes()))


def kept(town: Town) -> list[str]:
    folder = town.shop.settings.pictures
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_each_kind_becomes_webp_in_the_sizes_up_to_its_own(town: Town, kind: str) -> None:
    name = pictures.keep(town.shop, file(kind))
    assert name.endswith("-900x600.webp")
    sizes = picture(name).sizes
    assert [width for _, width in sizes] == [400, 800, 900]
    assert kept(town) == sorted(one for one, _ in sizes)
    for one, width in sizes:
        image = opened(town, one)
        assert (image.format, image.width, image.height) == ("WEBP", width, round(width * 2 / 3))


def test_the_same_bytes_are_the_same_picture(town: Town) -> None:
    first = pictures.keep(town.shop, file("PNG"))
    assert pictures.keep(town.shop, file("PNG")) == first
    assert pictures.keep(town.shop, file("PNG", (900, 601))) != first


@pytest.mark.parametrize(
    ("size", "width", "height"),
    [
        ((4000, 3000), 1600, 1200),
        ((100, 50), 100, 50),
        ((500, 5000), 320, 3200),
        ((3000, 1), 1600, 1),
    ],
)
def test_it_is_at_most_1600_wide_and_3200_tall_and_never_made_larger(
    town: Town, size: tuple[int, int], width: int, height: int
) -> None:
    name = pictures.keep(town.shop, file("PNG", size))
    shown = picture(name)
    assert (shown.width, shown.height) == (width, height)
    assert opened(town, name).size == (width, height)


def test_it_stands_upright_and_nothing_else_of_the_upload_is_kept(town: Town) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "Camera of Ada"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 0.0)
    upload = file("JPEG", exif=exif, comment=b"at home")
    assert b"Camera of Ada" in upload
    name = pictures.keep(town.shop, upload)
    image = opened(town, name)
    assert image.size == (600, 900)
    assert not image.getexif()
    content = (town.shop.settings.pictures / name).read_bytes()
    assert not {b"EXIF", b"XMP ", b"ICCP"} & {content[i : i + 4] for i in range(len(content) - 3)}
    assert b"Ada" not in content


def test_what_is_clear_stays_clear_and_deep_grey_is_not_burnt_out(town: Town) -> None:
    clear = opened(town, pictures.keep(town.shop, file("PNG", (50, 50), "RGBA")))
    assert clear.mode == "RGBA"
    grey = Image.new("I;16", (20, 20), 32896)
    out = io.BytesIO()
    grey.save(out, "PNG")
    red, _, _ = opened(town, pictures.keep(town.shop, out.getvalue())).getpixel((5, 5))
    assert 120 < red < 136


def test_colours_of_a_profile_are_brought_into_those_of_the_web(town: Town) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    plain = file("PNG", (20, 20))
    odd = file("PNG", (20, 20), icc_profile=profile)
    broken = file("PNG", (20, 20), icc_profile=b"no profile")
    for upload in (plain, odd, broken):
        assert opened(town, pictures.keep(town.shop, upload)).getpixel((5, 5))[0] > 240


def test_of_a_moving_picture_the_first_frame_is_taken(town: Town) -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("blue", "red")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    red, _, blue = opened(town, pictures.keep(town.shop, out.getvalue())).getpixel((5, 5))[:3]
    assert blue > 200 > 50 > red


def bomb() -> bytes:
    """A PNG of 20,000 by 20,000 pixels in a few bytes: its header is right, its rest is never read."""

    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def wide() -> bytes:
    """Over the limit, though not so far that Pillow itself would refuse it."""
    return file("PNG", (10_000, 5_001), "1")


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "Choose a file"),
    "text": (lambda: b"hello", "no picture"),
    "a page": (lambda: b"<html><img src=x onerror=alert(1)></html>", "no picture"),
    "an svg with a script": (lambda: SVG, "SVG can carry a script"),
    "an svg without its first line": (lambda: SVG[22:], "SVG can carry a script"),
    "a kind that pages do not show": (lambda: file("TIFF"), "no picture"),
    "a program": (lambda: b"MZ" + bytes(500), "no picture"),
    "cut off": (lambda: file("JPEG", (3000, 2000), quality=95)[:5000], "cut off or damaged"),
    "a cut off png": (lambda: file("PNG", (900, 600))[:-40], "cut off or damaged"),
    "a header alone": (lambda: b"\x89PNG\r\n\x1a\n", "no picture"),
    "huge": (lambda: bytes(10_000_001), "larger than 10 MB"),
    "a bomb": (bomb, "million pixels"),
    "too many pixels": (wide, "million pixels"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_anything_else_is_refused_with_a_sentence_and_nothing_is_kept(
    town: Town, what: str
) -> None:
    make, sentence = REFUSED[what]
    with pytest.raises(BadInput, match=sentence):
        pictures.keep(town.shop, make())
    assert kept(town) == []


def test_a_picture_under_the_limit_of_pixels_is_taken(town: Town) -> None:
    """The negative control of the one that is refused."""
    assert pictures.keep(town.shop, file("PNG", (10_000, 5_000), "1")).endswith("-1600x800.webp")


def test_a_bomb_is_refused_before_it_is_unpacked(town: Town) -> None:
    began = time.process_time()
    with pytest.raises(BadInput):
        pictures.keep(town.shop, bomb())
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "name",
    ["poster.svg", "0123456789abcdef-1600x1067.png", "0123456789abcde-1x1.webp", "../x.webp", ""],
)
def test_a_name_that_no_upload_has_is_a_square_with_one_size(name: str) -> None:
    assert largest(name) is None
    assert (picture(name).sizes, picture(name).width, picture(name).height) == ((), 800, 800)


def test_files_are_unused_when_a_day_has_passed_and_nothing_names_them(town: Town) -> None:
    shop = town.shop
    old, new, young, ordered = (
        pictures.keep(shop, file("PNG", (500, height))) for height in (10, 11, 12, 13)
    )
    editing.picture(shop, "poster", "", ordered, "ada")
    town.begin()
    editing.picture(shop, "poster", ordered, new, "ada")
    (shop.settings.pictures / "own.svg").write_text("<svg/>")
    now = time.time()
    files = list(shop.settings.pictures.iterdir())
    for path in files:
        os.utime(path, (now, now))
    assert list(pictures.unused(shop)) == []
    for path in files:
        if not path.name.startswith(young[:16]):
            os.utime(path, (now - 2 * 24 * 3600, now - 2 * 24 * 3600))
    assert {largest(path.name) for path in pictures.unused(shop)} == {old}
    assert len(list(pictures.unused(shop))) == 2
