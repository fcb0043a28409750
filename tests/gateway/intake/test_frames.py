"""MLLP's framing: whatever pieces it comes in, and whatever stands around it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.intake.frames import MOST_STRAY, Frame, Frames, OutOfStep, framed

BODIES = st.lists(st.binary(max_size=60).map(lambda one: one.replace(b"\x0b", b"").replace(b"\x1c", b"")), max_size=6)


def fed(frames: Frames, *pieces: bytes) -> list[Frame]:
    """The frames these pieces complete."""
    return [frame for piece in pieces for frame in frames.feed(piece)]


@given(BODIES, st.lists(st.integers(0, 400), max_size=12), st.sampled_from([b"", b"\r\n", b"\n\n"]))
def test_however_it_is_cut_every_message_comes_out(bodies: list[bytes], cuts: list[int], between: bytes) -> None:
    """Messages come out whole and in order, in whatever pieces their bytes arrive."""
    stream = between.join(framed(body) for body in bodies)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    frames = Frames(1000)
    assert fed(frames, *(stream[a:b] for a, b in pairwise(places))) == [Frame(body) for body in bodies]
    assert not frames.begun


@given(st.binary(max_size=2000), st.integers(1, 50))
def test_whatever_comes_memory_is_bounded(noise: bytes, step: int) -> None:
    """No stream of bytes keeps more than one message, or is anything but frames and the one fault."""
    frames = Frames(64)
    for at in range(0, len(noise), step):
        try:
            found = fed(frames, noise[at : at + step])
        except OutOfStep:
            return
        assert all(len(frame.body) <= 64 for frame in found)


def test_an_end_block_without_its_carriage_return_ends_a_message() -> None:
    """Half the senders forget it, and nothing else can follow an end block."""
    assert fed(Frames(100), b"\x0bone\x1c\x0btwo\x1c\r") == [Frame(b"one"), Frame(b"two")]


def test_garbage_before_a_frame_is_passed_over_up_to_a_bound() -> None:
    """A few stray bytes mean nothing; a stream of them is no MLLP."""
    assert fed(Frames(100), b"GET / HTTP/1.1\r\n", framed(b"one")) == [Frame(b"one")]
    with pytest.raises(OutOfStep):
        fed(Frames(100), b"x" * (MOST_STRAY + 1))
    assert fed(Frames(100), *[b"\r\n" * MOST_STRAY] * 3, framed(b"one")) == [Frame(b"one")]


def test_a_frame_begun_anew_leaves_a_half_behind() -> None:
    """A start block inside a frame begins the message again; the half was never sent to its end."""
    frames = Frames(100)
    assert fed(frames, b"\x0bhalf of", framed(b"the whole")) == [Frame(b"the whole")]
    assert frames.halves == 1


def test_a_message_that_is_too_long_keeps_its_beginning_and_the_next_its_place() -> None:
    """What is too long is read past, so that the connection stays in step; without any end it is broken off."""
    frames = Frames(10)
    assert fed(frames, framed(b"x" * 11), framed(b"next")) == [Frame(b"x" * 10, whole=False), Frame(b"next")]
    with pytest.raises(OutOfStep):
        fed(frames, b"\x0b", b"x" * 161)
