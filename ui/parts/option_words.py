"""Words for options of a job, as people at a mixer use them."""

from ui.language import mark

LABELS = {
    "model": mark("Model"),
    "preset": mark("Quality"),
    "stems": mark("Only these stems"),
    "shifts": mark("Extra passes"),
    "augment": mark("Mirrored passes (+2)"),
    "wiener": mark("Sharpen the separation"),
    "ensemble": mark("Combine the models by"),
    "ensemble_weights": mark("Weight of each model"),
    "residual": mark("What belongs to no stem"),
    "stages": mark("Analysis and extras"),
    "format": mark("File format"),
    "bit_depth": mark("Bit depth"),
    "name_template": mark("File names"),
    "normalization": mark("Loudness"),
    "target_lufs": mark("Target loudness (LUFS)"),
    "true_peak_ceiling_dbtp": mark("Highest peak (dBTP)"),
    "clipping": mark("If a file would clip"),
    "hpss_kernel_size": mark("Drums/melody split: detail"),
    "hpss_margin_harmonic": mark("Drums/melody split: stricter melody"),
    "hpss_margin_percussive": mark("Drums/melody split: stricter drums"),
    "recipes": mark("Extra mixes"),
    "custom_recipes": mark("Mixes of your own"),
    "tempo_min_bpm": mark("Slowest tempo (BPM)"),
    "tempo_max_bpm": mark("Fastest tempo (BPM)"),
    "playlist_name": mark("Name of the set"),
}
HELP = {
    "preset": mark(
        "Fast takes the quickest model, Best the most accurate one with twice the work; Balanced "
        "is right for most."
    ),
    "stems": mark("Such as vocals. The others arrive as one file. Empty: all stems."),
    "shifts": mark(
        "Averages several passes: cleaner, and so many times slower. 0: as Quality says."
    ),
    "augment": mark("Averages two more passes with the channels swapped and the signal inverted."),
    "wiener": mark("Gives each moment and pitch to the stem that is loudest there."),
    "stages": mark("What is found out and made besides the stems."),
    "name_template": mark(
        "With the fields {artist} {title} {stem} {bpm} {key} {camelot} {track_number} {album}."
    ),
    "normalization": mark(
        "Match the song: one gain for all files of a song, so that the stems still add up to it."
    ),
    "custom_recipes": mark("A name and its stems, such as karaoke=drums+bass; dub=drums."),
    "recipes": mark("Files that mix several stems."),
    "bit_depth": mark("As the source, but at least 24 bits, loses nothing."),
}
CHOICES = {
    "preset": {"fast": mark("Fast"), "balanced": mark("Balanced"), "best": mark("Best")},
    "clipping": {
        "rescale": mark("Turn all files down"),
        "none": mark("Write float files"),
        "clamp": mark("Cut the peaks off"),
    },
    "residual": {
        "fold": mark("Add it to Other: the stems sum to the song"),
        "keep": mark("A file of its own"),
        "off": mark("Leave it out"),
    },
    "ensemble": {
        "average": mark("Their average"),
        "min_spectrum": mark("The quietest: least bleed"),
        "max_spectrum": mark("The loudest: nothing missing"),
    },
    "normalization": {
        "common": mark("Match the song"),
        "per_track": mark("Each file by itself"),
        "off": mark("Leave it"),
    },
    "format": {"m4a": mark("AAC (m4a)"), "alac": mark("ALAC (m4a)"), "opus": mark("Opus")},
    "bit_depth": {
        "auto": mark("As source, min. 24"),
        "16": mark("16-bit"),
        "24": mark("24-bit"),
        "32f": mark("32-bit float"),
    },
}
STAGES = {
    "decode": mark("Reading the file"),
    "separation": mark("Separation"),
    "delivery": mark("Writing the files"),
    "harmonic_percussive": mark("Drums/melody split"),
    "composite": mark("Extra mixes"),
    "normalization": mark("Loudness"),
    "tempo": mark("BPM and beat grid"),
    "key": mark("Key"),
    "energy": mark("Energy"),
    "vocals": mark("Where vocals are"),
    "structure": mark("Sections and cues"),
    "chords": mark("Chords"),
    "descriptors": mark("Similar tracks"),
    "waveform": mark("Waveforms"),
    "playlist": mark("Set"),
}
