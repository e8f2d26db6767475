"""decode: the uploaded bytes become float32 audio; everything downstream works on it."""

from core.audio.metering.silence import SILENT, is_silent
from core.audio.tagging.tags import name_track, read_tags, text_tags
from core.pipeline.context import StageContext
from core.pipeline.results import DecodeResult
from core.pipeline.stage import TrackStage
from stemcrate.schemas.facts import SourceFacts
from stemcrate.schemas.manifest import SourceDetails


class DecodeStage(TrackStage):
    """Decode, down-mix to at most two channels, read the tags."""

    name = "decode"
    result_type = DecodeResult
    essential = True
    cost = 1.0

    def execute(self, context: StageContext) -> DecodeResult:
        """Write ``mixture``. Raises `InvalidAudio` and its subclasses."""
        # Here, and not above: the API knows the stages, and loads no decoder.
        from core.audio.reading.decode import decode

        with context.work_path("mixture") as path:
            decoded = decode(
                context.source,
                path,
                name=context.track.source.name,
                max_duration_s=context.runtime.max_duration_s,
                progress=context.report_progress,
                cancelled=context.cancelled,
            )
        if decoded.downmix:
            context.warn("downmixed", decoded.downmix)
        for warning in decoded.warnings:
            context.warn("decoder", warning)
        with context.reader("mixture") as mixture:
            if is_silent(mixture.blocks()):
                context.warn("silent", SILENT)
        tags = read_tags(context.source)
        duration_s = round(decoded.n_samples / decoded.sample_rate, 6)
        title, artist = name_track(tags, context.track.source.name)
        source = decoded.source
        return DecodeResult(
            sample_rate=decoded.sample_rate,
            n_channels=decoded.n_channels,
            n_samples=decoded.n_samples,
            bit_depth=source.bit_depth,
            is_float=source.is_float,
            is_lossy=source.is_lossy,
            downmix=decoded.downmix,
            decoder=source.decoder,
            source=SourceDetails(
                duration_s=duration_s,
                sample_rate=source.sample_rate,
                n_channels=source.n_channels,
                bit_depth=source.bit_depth,
                codec=source.codec,
                container=source.container,
                tags=text_tags(tags),
            ),
            facts=SourceFacts(title=title, artist=artist, duration_s=duration_s),
        )
