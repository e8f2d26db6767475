"""The texts of the player, its dock and the corrections, which their scripts look up in English."""

from collections.abc import Mapping

from ui.language import mark, t
from ui.text import SECTIONS, STEMS

DOCK = (
    mark("Buffering …"),
    mark("Loop"),
    mark("Master volume"),
    mark("Open {title}"),
    mark("Pause"),
    mark("Play"),
    mark("Player"),
    mark("Stop and close"),
    mark("The server answers {status}."),
    mark("The server is away"),
    mark("The server is away, trying again"),
    mark("Untitled"),
    mark("centre"),
    mark("left"),
    mark("right"),
    mark("{label}: double-click for {value}"),
)
"""What the dock shows, which is on every page, and what all parts share."""
PLAYER = (
    mark(", bar {bar}"),
    mark("1 bar"),
    mark("Back a bar"),
    mark("Back or forward 5 s"),
    mark("Back or forward a bar"),
    mark("Bands"),
    mark("Bar {bar}"),
    mark("Click"),
    mark("Click on or off"),
    mark("Click on the beats (K)"),
    mark("Clipped"),
    mark("Clipped: lower the faders"),
    mark("Close"),
    mark("Count a bar before playing"),
    mark("Count-in"),
    mark("Download the file"),
    mark("Download {title}"),
    mark(
        "Drag on the ruler to loop, on whole bars (Alt: freely). Double-click a section to loop"
        " it, a fader to set it to 0 dB. The wheel zooms, with Shift it moves."
    ),
    mark("Forward a bar"),
    mark("Go to a section or cue"),
    mark("Go to …"),
    mark("Home, End"),
    mark("Keys of the player"),
    mark("Length of the loop"),
    mark("Loop (L)"),
    mark("Loop end"),
    mark("Loop from this bar"),
    mark("Loop on or off"),
    mark("Loop start"),
    mark("Loop start, loop end here"),
    mark("Making the spectrogram …"),
    mark("Master"),
    mark("Mix"),
    mark("Mix or original, equally loud"),
    mark("Mute"),
    mark("Mute a lane"),
    mark("Mute {title}"),
    mark("No spectrogram"),
    mark("No waveform"),
    mark("Opening the track …"),
    mark("Original"),
    mark("Other versions ({count})"),
    mark("Overview"),
    mark("Pan of {title}"),
    mark("Pitch"),
    mark("Play or pause"),
    mark("Player: {title}"),
    mark("Position"),
    mark("Reset the mix"),
    mark("Shift + 1 – 9"),
    mark("Shift + ← →"),
    mark("Show the whole track"),
    mark("Solo a lane (with Ctrl: this one only)"),
    mark("Solo {title}"),
    mark("Solo{key}, Ctrl: this one only"),
    mark("Space"),
    mark("Spectrum"),
    mark("Start, end"),
    mark("Stems"),
    mark("Tap the tempo, to correct it"),
    mark("Tempo"),
    mark(
        "Tempo changes the pitch too: on this address, browsers offer no pitch lock. Use https "
        "or localhost."
    ),
    mark("The mix, or the original at the same loudness (A)"),
    mark("This list"),
    mark("To the start"),
    mark("Transport"),
    mark("Trying again …"),
    mark("Visualiser"),
    mark("Volume of {title}"),
    mark("Waveform, bands or spectrum"),
    mark("What is heard"),
    mark("What lanes show"),
    mark("Zoom"),
    mark("Zoom in"),
    mark("Zoom in or out"),
    mark("Zoom out"),
    mark("[ or I, ] or O"),
    mark("bars"),
    mark("{name} in {time}"),
    mark("{bars} bars"),
    mark("{name} (space)"),
    mark("{n} semitones"),
    mark("{time} of {all}"),
)
CORRECTIONS = (
    mark("1 star"),
    mark("Add a cue point at the playhead"),
    mark("Add the loop"),
    mark("Add to the library"),
    mark("Analysed"),
    mark("Anchor of a stretch: {time}"),
    mark("Artist"),
    mark("At the playhead"),
    mark("BPM"),
    mark("Back to what was analysed"),
    mark("Bar starts here"),
    mark("Beat grid"),
    mark("Beat is exactly here"),
    mark("Begin a bar on the beat nearest to the playhead"),
    mark("Colour of {name}"),
    mark("Comment"),
    mark("Corrections"),
    mark("Corrections are kept in the library, and this track is not in it."),
    mark("Cue"),
    mark("Cue here"),
    mark("Cue {n}"),
    mark("Cues and loops"),
    mark("Delete {name}"),
    mark("Double the tempo"),
    mark("Even grid from here"),
    mark("Go to {name}, {times}"),
    mark("Halve the tempo"),
    mark("In the file"),
    mark("Key"),
    mark("Lock"),
    mark("Locked"),
    mark("Loop {n}"),
    mark("Move here"),
    mark("Move the grid"),
    mark("Move the grid {ms} ms earlier"),
    mark("Move the grid {ms} ms later"),
    mark("Move the grid: its nearest beat is at the playhead, and begins a bar"),
    mark("Move the nearest beat to the playhead and leave the anchor where it is"),
    mark("Move {name} to the playhead"),
    mark("Multiply the tempo"),
    mark("Name of {name}"),
    mark("No beat grid: set the tempo, go to a beat, and lay an even grid."),
    mark("Rating"),
    mark("Refuse changes of tempo and grid"),
    mark("Replace the grid by an even one with a bar at the playhead"),
    mark("Saved"),
    mark("Saving …"),
    mark("Set {bpm} BPM"),
    mark("Stars"),
    mark("Store the player's loop"),
    mark("Stretch to here"),
    mark("Swap beat and off-beat"),
    mark("Tap"),
    mark("Tap ({count})"),
    mark("Tap along with the beat (T)"),
    mark("The server does not answer: your change was not saved."),
    mark(
        "This track was changed in another window or by a program. Its values are shown as they"
        " are now; repeat your change if you still want it."
    ),
    mark("Three beats where there are two"),
    mark("Title"),
    mark("Two beats where there are three"),
    mark("Undo the last change"),
    mark("first beat at {time}"),
    mark("no grid"),
    mark("no tempo"),
    mark("none"),
    mark("unknown"),
    mark("{label}: back to what was analysed"),
    mark("{n} stars"),
    mark("½ beat"),
)


def dock_words() -> Mapping[str, str]:
    """Return the texts of the dock by the English ones."""
    return _translate(DOCK)


def player_words() -> Mapping[str, str]:
    """Return the texts of the player by the English ones, with the names of stems and sections."""
    return _translate((*DOCK, *PLAYER, *STEMS.values(), *SECTIONS.values()))


def correction_words() -> Mapping[str, str]:
    """Return the texts of the corrections by the English ones."""
    return _translate((*DOCK, *PLAYER, *CORRECTIONS))


def _translate(texts: tuple[str, ...]) -> dict[str, str]:
    return {text: t(text) for text in texts}
