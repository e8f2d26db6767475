"""The facts of a recording."""

from pathlib import Path

from stemcrate.local.recording import Recording, read_recording, split_blocks
from stemcrate.schemas.facts import TrackFacts


def analyze(recording: Recording) -> TrackFacts:
    """Find tempo, beats, key, energy, loudness, form and chords of a recording.

    Parameters
    ----------
    recording : the path of a file, or float32 ``(n_channels, n_samples)`` with its sample rate in
        Hz.

    Returns
    -------
    The facts, as ``stemcrate analyze`` and the library hold them; a field is None if it is unknown
    or not defined: silence has no tempo and no key. Title and artist are known of files alone.

    Raises
    ------
    InvalidAudio : the file is empty, damaged, or is not audio.
    ValueError : the samples are of another shape or are not finite, or the rate is below 1 Hz.
    TypeError : the samples are not float32.
    """
    from core.analysis.blocks import analyse_blocks
    from core.analysis.file import analyse_file

    if isinstance(recording, tuple):
        samples, sample_rate = read_recording(recording)
        return analyse_blocks(split_blocks(samples), sample_rate, samples.shape[0])
    found = analyse_file(Path(recording))
    return TrackFacts.model_validate({k: v for k, v in found.items() if k != "waveform"})
