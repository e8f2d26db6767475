"""Signals and files with known answers; everything is synthesised, nothing is downloaded."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from scipy.signal import butter, fftconvolve, sosfilt

from core.audio.reading.decode import DecodedAudio, decode
from core.audio.writing.wavefile import AudioReader

RATE = 44_100


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Noise up to 8 kHz, which lossy encoders keep well enough to be aligned by correlation."""

    def make(
        n_samples: int = RATE + 123, n_channels: int = 2, rate: int = RATE, level: float = 0.1
    ) -> np.ndarray:
        rng = np.random.default_rng(n_channels)
        low_pass = butter(4, min(8000, 0.4 * rate), fs=rate, output="sos")
        white = rng.standard_normal((n_channels, n_samples))
        return (sosfilt(low_pass, white) * level).astype(np.float32)

    return make


@pytest.fixture
def lag() -> Callable[[np.ndarray, np.ndarray], int]:
    """Samples by which one signal is later than another."""

    def measure(late: np.ndarray, early: np.ndarray) -> int:
        correlation = fftconvolve(late, early[::-1])
        return int(np.argmax(correlation)) - (len(early) - 1)

    return measure


@pytest.fixture
def decoded(tmp_path: Path) -> Callable[..., tuple[DecodedAudio, np.ndarray]]:
    """Decode a file and read the result back whole."""

    def run(path: Path, **options: Any) -> tuple[DecodedAudio, np.ndarray]:
        destination = tmp_path / "working-audio"
        result = decode(path, destination, **options)
        with AudioReader(destination) as reader:
            return result, reader.read()

    return run


@pytest.fixture
def encode_with_ffmpeg() -> Callable[..., Path]:
    """Write a file as a stranger would: FFmpeg's defaults, any codec and container."""

    def write(
        path: Path,
        samples: np.ndarray,
        *,
        codec: str,
        container: str,
        sample_format: str,
        rate: int = RATE,
        layout: str | None = None,
        with_video: bool = False,
        bit_rate: int | None = None,
        options: dict[str, str] | None = None,
    ) -> Path:
        layout = layout or ("mono" if len(samples) == 1 else "stereo")
        with av.open(str(path), "w", format=container, container_options=options or {}) as out:
            picture = out.add_stream("mpeg4", rate=25) if with_video else None
            stream = out.add_stream(codec, rate=rate, layout=layout)
            stream.codec_context.format = sample_format
            if bit_rate is not None:
                stream.bit_rate = bit_rate
            stream.codec_context.open()
            if picture is not None:
                picture.width = picture.height = 32
                picture.pix_fmt = "yuv420p"
                for index in range(10):
                    image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
                    image.pts = index
                    out.mux(picture.encode(image))
                out.mux(picture.encode(None))
            size = stream.codec_context.frame_size or 4096
            for start in range(0, samples.shape[1], size):
                block = samples[:, start : start + size]
                if not sample_format.endswith("p"):
                    block = block.T.reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(block), format=sample_format, layout=layout
                )
                frame.sample_rate, frame.pts = rate, start
                frame.time_base = Fraction(1, rate)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return path

    return write
