"""waveform: waveforms of every output, as an overview and for zooming."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

from core.audio.buffer import Samples
from core.audio.metering.audiowaveform import encode_bands, encode_dat, encode_json
from core.audio.metering.waveform import Waveform, compute_peaks
from core.audio.metering.waveform_data import WaveformData, WaveformMeter
from core.pipeline.context import StageContext
from core.pipeline.names import name_folder
from core.pipeline.outputs import Output, list_outputs, read_blocks, sum_blocks
from core.pipeline.results import StageResult
from core.pipeline.stage import TrackStage
from stemcrate.schemas.facts import MIXTURE
from stemcrate.schemas.player import ORIGINAL

N_BINS = 800
MAX_BAND_PIXELS = 4096


class WaveformStage(TrackStage):
    """Compute the waveforms of all outputs, before gain, and of the original.

    ``waveforms.json`` holds minimum, maximum and RMS in 800 bins of each output. Beside it lie, of
    each and in the format of audiowaveform, one ``.dat`` at its finest scale with a ``.bands``, and
    one ``.json`` at the finest scale of at most 4096 pixels, with the RMS of three bands.
    """

    name = "waveform"
    version = "3"
    serves_delivery = True
    cost = 1.0

    def execute(self, context: StageContext) -> StageResult:
        """Read every output once."""
        files = [*list_outputs(context).files, Output(ORIGINAL, ORIGINAL, (MIXTURE,))]
        folder = name_folder(context)
        outputs = {}
        for done, output in enumerate(files):
            peaks, waveform = _measure(context, output)
            _write_levels(context, f"{folder}/waveforms/{output.label}", output.label, waveform)
            if output.role != ORIGINAL:
                outputs[output.label] = {
                    "peaks_min": list(peaks.peaks_min),
                    "peaks_max": list(peaks.peaks_max),
                    "rms": list(peaks.rms),
                }
            context.progress((done + 1) / len(files))
        name = f"{folder}/waveforms.json"
        with context.artefact(name, role="waveform", label="waveforms", format="json") as path:
            path.write_text(json.dumps({"n_bins": N_BINS, "outputs": outputs}))
        return StageResult.model_validate({"n_bins": N_BINS})


def _measure(context: StageContext, output: Output) -> tuple[Waveform, WaveformData]:
    with ExitStack() as stack:
        readers = {s: stack.enter_context(context.reader(s)) for s in output.sources}
        first = next(iter(readers.values()))
        meter = WaveformMeter(first.sample_rate, first.n_channels)

        def sums() -> Iterator[Samples]:
            for _, blocks in read_blocks(readers, first.n_samples):
                total = sum_blocks(blocks.values())
                meter.add(total)
                yield total

        return compute_peaks(sums(), first.n_samples, N_BINS), meter.finish()


def _write_levels(context: StageContext, name: str, label: str, waveform: WaveformData) -> None:
    levels, rate = waveform.levels, waveform.sample_rate
    coarse = next(level for level in levels if level.low.shape[1] <= MAX_BAND_PIXELS)
    with context.artefact(f"{name}.dat", role="waveform", label=label, format="dat") as path:
        path.write_bytes(encode_dat(levels[0], rate))
    with context.artefact(f"{name}.bands", role="waveform", label=label, format="bands") as path:
        path.write_bytes(encode_bands(levels[0], rate))
    with context.artefact(f"{name}.json", role="waveform", label=label, format="json") as path:
        path.write_text(json.dumps(encode_json(coarse, rate)))
