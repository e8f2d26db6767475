"""Answers as the API gives them, in small."""

import json
from typing import Any

JOB_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b20"


def config() -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "models": [
            model("htdemucs", ["drums", "bass", "other", "vocals"], available=False),
            model("spleeter", ["vocals", "accompaniment"], available=True),
        ],
        "model": {"configured": "auto", "resolved": "spleeter", "reason": "No `htdemucs` here."},
        "device": "auto",
        "stages": ["composite", "normalization", "tempo"],
        "recipes": [
            {"name": "main", "description": "All", "stems": None, "without": []},
            {"name": "instrumental", "description": "No voice", "stems": None, "without": []},
        ],
        "formats": ["wav", "flac", "mp3"],
        "bit_depths": ["auto", "16", "24", "32f"],
        "defaults": {
            "model": "auto",
            "preset": "balanced",
            "stems": [],
            "shifts": 0,
            "augment": False,
            "wiener": False,
            "ensemble": "average",
            "ensemble_weights": [],
            "clipping": "rescale",
            "residual": "fold",
            "stages": ["composite", "normalization", "tempo"],
            "format": "wav",
            "bit_depth": "auto",
            "name_template": "{artist} - {title} [{stem}]",
            "normalization": "common",
            "target_lufs": -14.0,
            "true_peak_ceiling_dbtp": -1.0,
            "hpss_kernel_size": 31,
            "hpss_margin_harmonic": 1.0,
            "hpss_margin_percussive": 1.0,
            "recipes": ["main", "instrumental"],
            "custom_recipes": {},
            "tempo_min_bpm": 70.0,
            "tempo_max_bpm": 180.0,
            "playlist_name": "Stemcrate set",
        },
        "limits": {"max_upload_bytes": 500_000_000, "max_duration_s": 3600, "max_files_per_job": 5},
    }


def model(name: str, stems: list[str], *, available: bool) -> dict[str, Any]:
    return {
        "name": name,
        "family": name,
        "stems": stems,
        "licence": f"Licence of {name}",
        "description": f"About {name}.",
        "available": available,
    }


def job(state: str, **changes: Any) -> dict[str, Any]:
    """A job of one track with a name that tries to mark up the page."""
    return {
        "job_id": JOB_ID,
        "kind": "separation",
        "state": state,
        "created_at": "2026-11-21T06:14:05Z",
        "started_at": "2026-11-21T06:14:06Z",
        "finished_at": "2026-11-21T06:14:31Z",
        "stage": None,
        "track_index": None,
        "fraction": 1.0,
        "eta_s": None,
        "silent_s": None,
        "model": {"name": "spleeter", "licence": "MIT", "reason": "It is here."},
        "device": {"name": "cpu"},
        "tracks": [
            {
                "index": 0,
                "name": "<b>song</b>.wav",
                "state": state,
                "analysis": {k: v for k, v in ANALYSIS.items() if not isinstance(v, list | dict)},
                "error": None,
            }
        ],
        "stages": [
            {"track_index": 0, "name": "separation", "state": "completed", "seconds": 4.6},
            {"track_index": 0, "name": "tempo", "state": "running", "seconds": None},
            {"track_index": None, "name": "playlist", "state": "pending", "seconds": None},
        ],
        "warnings": [],
        "error": None,
        "links": {},
        **changes,
    }


ANALYSIS: dict[str, Any] = {
    "tempo_bpm": 122.0,
    "tempo_confidence": 0.78,
    "tempo_alternatives": [
        {"tempo_bpm": 61.0, "score": 0.11},
        {"tempo_bpm": 244.0, "score": 0.0},
    ],
    "beats_s": [0.0, 0.5, 1.0, 1.5],
    "downbeats_s": [0.0],
    "key": "A minor",
    "camelot": "8A",
    "open_key": "1m",
    "key_confidence": 0.91,
    "key_alternatives": [{"key": "C major", "camelot": "8B", "score": 0.03}],
    "energy": 4,
    "integrated_loudness_lufs": -14.39,
    "loudness_range_lu": 1.5,
    "true_peak_dbtp": -1.2,
    "vocal_ratio": 0.31,
    "vocals_confidence": 0.8,
    "vocals_s": [[3.2, 9.4]],
    "sections": [
        {"start_s": 0.0, "end_s": 8.0, "label": "intro", "letter": "A"},
        {"start_s": 8.0, "end_s": 20.2, "label": "chorus", "letter": "B"},
    ],
    "mix_in_s": [0.0, 8.0],
    "mix_out_s": [16.0, 20.2],
    "chords": [
        {"start_s": 0.0, "end_s": 6.0, "chord": "Am", "confidence": 0.9},
        {"start_s": 6.0, "end_s": 8.0, "chord": "G<", "confidence": 0.9},
        {"start_s": 8.0, "end_s": 20.2, "chord": "N", "confidence": 0.9},
    ],
    "duration_s": 20.2,
    "null_test": {
        "residual": "fold",
        "folded_into": "accompaniment",
        "residual_dbfs": -168.07,
        "residual_peak_dbfs": -150.0,
    },
}


def artefact(role: str, label: str, suffix: str = "wav") -> dict[str, Any]:
    return {
        "name": f"song/{label}.{suffix}",
        "role": role,
        "label": label,
        "format": suffix,
        "bytes": 5_338_740,
        "duration_s": 20.2,
        "sample_rate": 44100,
        "bit_depth": "24",
        "gain_db": 0.2,
        "track_index": None if role == "playlist" else 0,
        "url": f"/download/{JOB_ID}/song/{label}.{suffix}",
    }


def outputs() -> dict[str, Any]:
    return {
        "job_id": JOB_ID,
        "artefacts": [
            artefact("waveform", "waveforms", "json"),
            artefact("composite", "main"),
            artefact("stem", "accompaniment"),
            artefact("stem", "vocals"),
            artefact("playlist", "My set", "m3u8"),
        ],
        "zip_url": f"/download/{JOB_ID}/all",
    }


def waveforms() -> dict[str, Any]:
    peaks = {"peaks_min": [-0.5, -0.2], "peaks_max": [0.5, 0.1], "rms": [0.2, 0.1]}
    return {"n_bins": 2, "outputs": dict.fromkeys(("vocals", "accompaniment", "main"), peaks)}


def manifest() -> dict[str, Any]:
    composite = {"name": "composite", "result": {"skipped": {"drumless": "It gives no drums."}}}
    return {
        "job_id": JOB_ID,
        "options": {},
        "software": {},
        "tracks": [{"index": 0, "stages": [composite], "analysis": ANALYSIS}],
        "playlist": {
            "name": "My set",
            "tracks": [{"index": 0, "title": "<i>T</i>", "artist": None, "camelot": "8A"}],
            "transitions": [],
        },
    }


def give_finished_job(server: Any, state: str = "completed", **changes: Any) -> None:
    """Let a server know one job, as it is when it has ended."""
    server.answer("GET", f"/job/{JOB_ID}", job(state, **changes))
    server.answer("GET", f"/job/{JOB_ID}/outputs", outputs())
    server.answer("GET", f"/job/{JOB_ID}/manifest", manifest())
    server.answer("GET", f"/download/{JOB_ID}/song/waveforms.json", json.dumps(waveforms()))
