"""waveform: a small picture's worth of peaks for every output."""

import json
from contextlib import ExitStack

from core.audio.waveform import compute_peaks
from core.pipeline.context import StageContext
from core.pipeline.names import name_folder
from core.pipeline.outputs import list_outputs, read_blocks, sum_blocks
from core.pipeline.stage import StageResult, TrackStage

N_BINS = 800


class WaveformStage(TrackStage):
    """Write one JSON with the peaks of all outputs of the track, before gain."""

    name = "waveform"
    cost = 1.0

    def execute(self, context: StageContext) -> StageResult:
        """Compute minimum, maximum and RMS in 800 bins."""
        files = list_outputs(context).files
        outputs = {}
        for done, output in enumerate(files):
            with ExitStack() as stack:
                readers = {s: stack.enter_context(context.reader(s)) for s in output.sources}
                n_samples = next(iter(readers.values())).n_samples
                sums = (
                    sum_blocks(blocks.values()) for _, blocks in read_blocks(readers, n_samples)
                )
                peaks = compute_peaks(sums, n_samples, N_BINS)
            outputs[output.label] = {
                "peaks_min": list(peaks.peaks_min),
                "peaks_max": list(peaks.peaks_max),
                "rms": list(peaks.rms),
            }
            context.progress((done + 1) / len(files))
        name = f"{name_folder(context)}/waveforms.json"
        with context.artefact(name, role="waveform", label="waveforms", format="json") as path:
            path.write_text(json.dumps({"n_bins": N_BINS, "outputs": outputs}))
        return StageResult(data={"n_bins": N_BINS})
