"""The texts of the page Sets."""

from typing import Any

from stemcrate.schemas.curves import CurveName
from ui.language import mark, t

SHARED = {
    "away": mark("The server does not answer. Trying again."),
    "close": mark("Close"),
    "newSet": mark("New set"),
    "oneTrack": mark("{n} track"),
    "nTracks": mark("{n} tracks"),
}
LIST = {
    "sets": mark("Sets"),
    "noSets": mark("No sets yet. Plan the first one from your library."),
    "more": mark("Show more"),
}
TRACKS = {
    "allSets": mark("All sets"),
    "energy": mark("Energy, 1 to 10"),
    "uncertain": mark("uncertain, {n} %"),
    "good": mark("mixes well"),
    "fair": mark("takes some work"),
    "poor": mark("rough"),
    "nothing": mark("No track matches."),
    "energyCurve": mark("Energy"),
}
PLANNER = {
    "name": mark("Name of the set"),
    "newName": mark("New set"),
    "from": mark("Choose from"),
    "wholeLibrary": mark("the whole library"),
    "someOfIt": mark("some of it"),
    "oneGiven": mark("{n} selected track"),
    "same": mark("the {n} tracks of the set"),
    "nGiven": mark("{n} selected tracks"),
    "oneFound": mark("{n} track to choose from."),
    "nFound": mark("{n} tracks to choose from."),
    "anyKey": mark("Any key"),
    "anyVocals": mark("Any"),
    "anyCollection": mark("Any"),
    "sung": mark("With vocals"),
    "instrumental": mark("Instrumental"),
    "length": mark("Length"),
    "amount": mark("How long"),
    "unit": mark("Counted in"),
    "pins": mark("Tracks that must be in, or stay out"),
    "searchPins": mark("Search a track to pin"),
    "unpin": mark("Unpin “{title}”"),
    "noCurve": mark("Any"),
    "ownCurve": mark("Drawn by hand"),
    "curveLabel": mark("Energy over the set, 1 to 10"),
    "curveHelp": mark(
        "Drag the handles. Click beside the line for another one, double-click a handle to take it "
        "away. Arrow keys, Insert and Delete do the same."
    ),
    "start": mark("Start"),
    "end": mark("End"),
    "handle": mark("energy {energy} at {n} % of the set"),
    "handleLabel": mark("Handle {n}"),
    "limits": mark("Limits"),
    "maxPitch": mark("Pitch fader up to ± %"),
    "artistGap": mark("Artist distance in tracks"),
    "plan": mark("Plan the set"),
    "planning": mark("Planning"),
}
FILTERS = {
    "text": mark("Title, artist, album, genre, comment"),
    "tempo_min_bpm": mark("BPM from"),
    "tempo_max_bpm": mark("BPM to"),
    "mixes_with": mark("Mixes with key"),
    "energy_min": mark("Energy from"),
    "energy_max": mark("Energy to"),
    "collection": mark("Collection"),
    "vocals": mark("Vocals"),
}
KINDS = {
    "start": mark("First"),
    "end": mark("Last"),
    "must_play": mark("Must play"),
    "never": mark("Never"),
}
UNITS = {"minutes": mark("minutes"), "tracks": mark("tracks"), "all": mark("all of them")}
WHEEL = {
    "wheelLabel": mark("Camelot wheel; keys in playing order: {order}"),
    "unknown": mark("unknown"),
    "smooth": mark("smooth mixes"),
}
SET = {
    "set": mark("Set"),
    "undo": mark("Undo"),
    "planAgain": mark("Plan again"),
    "rename": mark("Rename"),
    "nameLabel": mark("Name"),
    "save": mark("Save"),
    "delete": mark("Delete"),
    "deleteSet": mark("Delete the set “{name}”?"),
    "deleteWhat": mark("Its tracks stay in the library."),
    "deleteYes": mark("Delete the set"),
    "cancel": mark("Cancel"),
    "mixes": mark("transitions {n}"),
    "fit": mark("energy as wanted {n}"),
    "oneGone": mark("{n} track of the set is no longer in the library."),
    "nGone": mark("{n} tracks of the set are no longer in the library."),
    "order": mark("Tracks in playing order"),
    "grip": mark("Move “{title}”, number {n}"),
    "gripHelp": mark("Drag, or Alt+↑ and Alt+↓. Delete takes the track out."),
    "moved": mark("“{title}” is now number {n} of {all}."),
    "removeTrack": mark("Take “{title}” out"),
    "removed": mark("“{title}” is out of the set."),
    "lastTrack": mark("A set keeps at least one track. Delete the set instead."),
    "missing": mark("file not found"),
    "rating": mark("is being rated"),
    "why": mark("Why"),
    "whyOf": mark("Why the transition from number {from} to {to} is rated so"),
    "oneBar": mark("mix over {n} bar"),
    "nBars": mark("mix over {n} bars"),
    "pitch": mark("incoming deck at {n} %"),
    "pitchSame": mark("incoming deck at its own tempo"),
    "pitchUnknown": mark("pitch unknown"),
    "clash": mark("vocals over vocals for {n} s"),
    "dropOut": mark("mute {stem} of the outgoing deck"),
    "dropIn": mark("bring {stem} of the incoming deck in late"),
    "preview": mark("Preview"),
    "previewOf": mark("Preview of the transition from number {from} to {to}"),
    "waiting": mark("Waiting for a worker"),
    "mixing": mark("Mixing"),
    "noPreview": mark("The preview was stopped."),
    "mixFrom": mark("Mix {from} – {to}"),
    "download": mark("Download"),
    "addTracks": mark("Add tracks"),
    "addAfter": mark("After"),
    "atStart": mark("At the start"),
    "fitting": mark("What mixes here"),
    "search": mark("Search the library"),
    "add": mark("Add"),
    "addTrack": mark("Add “{title}”"),
    "added": mark("“{title}” is number {n} of the set."),
    "isIn": mark("In the set"),
    "wheel": mark("Keys"),
    "energyLabel": mark("Energy of the tracks over the set"),
    "wantedNote": mark("Bars: the tracks. Dashed: the energy that was asked for."),
    "tempoCurve": mark("Tempo (BPM)"),
    "octaveNote": mark("Half and double time are drawn at one height."),
    "tempoLabel": mark("Tempo of the tracks over the set"),
    "conflict": mark("The set was changed in another window. Your last change is not saved."),
    "showTheirs": mark("Show what it is now"),
    "keepMine": mark("Save mine"),
    "changedElsewhere": mark("The set was changed in another window. This is what it is now."),
    "exportSet": mark("Take it away"),
    "exportHelp": mark(
        "Name the folder that the audio will be in on the computer of your DJ program. The DJ pack "
        "holds audio, stems and the files of all programs."
    ),
    "system": mark("System"),
    "folder": mark("Folder of the audio"),
    "stemFormat": mark("STEM files of the pack"),
    "needsFolder": mark("{format} holds full paths. Name the folder of the audio first."),
    "writing": mark("Writing {format}"),
    "exported": mark("{name} is saved."),
    "packStarted": mark("The DJ pack is being made while it is downloaded."),
}


def curve_names() -> dict[CurveName, str]:
    """Return the energy curves by name, in words."""
    return {
        CurveName.WARM_UP: t("Warm up"),
        CurveName.PEAK: t("Peak time"),
        CurveName.COOL_DOWN: t("Cool down"),
        CurveName.WAVE: t("Wave"),
        CurveName.FLAT: t("Level"),
    }


def list_words() -> dict[str, Any]:
    """Return the texts of the list of sets."""
    return _translate(SHARED, LIST)


def planner_words() -> dict[str, Any]:
    """Return the texts of the planner."""
    return {
        **_translate(SHARED, TRACKS, PLANNER),
        "filters": _translate(FILTERS),
        "kinds": _translate(KINDS),
        "units": _translate(UNITS),
    }


def set_words() -> dict[str, Any]:
    """Return the texts of a set."""
    return _translate(SHARED, TRACKS, WHEEL, SET)


def wheel_words() -> dict[str, str]:
    """Return the texts of the wheel."""
    return _translate(WHEEL)


def _translate(*tables: dict[str, str]) -> dict[str, str]:
    return {name: t(text) for table in tables for name, text in table.items()}
