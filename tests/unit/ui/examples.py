"""Answers as the API gives them, in small: each is read and written by its schema."""

from typing import Any

from pydantic import BaseModel

from stemcrate.schemas.configuration import Configuration
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.jobs import Job, JobLinks, JobReceipt, Outputs
from stemcrate.schemas.library import TrackDetails
from stemcrate.schemas.manifest import ProcessingManifest
from tests.answering import Server

JOB_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b20"
TRACK_ID = "5f70bf18"


LINKS = dict.fromkeys(JobLinks.model_fields, "") | {"manifest": f"/job/{JOB_ID}/manifest"}


def written(model: type[BaseModel], answer: dict[str, Any]) -> Any:
    """Write an answer as the API does; one that it could not give is an error."""
    return model.model_validate(answer).model_dump(mode="json", by_alias=True)


def config() -> Any:
    answer = {
        "version": "0.1.0",
        "models": [
            model("htdemucs", ["drums", "bass", "other", "vocals"], available=False),
            model("spleeter", ["vocals", "accompaniment"], available=True),
        ],
        "model": {"configured": "auto", "resolved": "spleeter", "reason": "No `htdemucs` here."},
        "device": "auto",
        "workers": [],
        "stages": ["composite", "normalization", "tempo"],
        "recipes": [
            {"name": "main", "description": "All", "stems": None, "without": []},
            {
                "name": "instrumental",
                "description": "No voice",
                "stems": None,
                "without": ["vocals"],
            },
            {"name": "drumless", "description": "No drums", "stems": None, "without": ["drums"]},
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
            "recipes": ["main", "instrumental", "drumless"],
            "custom_recipes": {},
            "tempo_min_bpm": 70.0,
            "tempo_max_bpm": 180.0,
            "playlist_name": "Stemcrate set",
        },
        "exports": [
            {"name": "m3u8", "label": "M3U8", "needs_target": False},
            {"name": "rekordbox", "label": "rekordbox XML", "needs_target": True},
            {"name": "pack", "label": "DJ pack", "needs_target": False},
        ],
        "limits": {"max_upload_bytes": 500_000_000, "max_duration_s": 3600, "max_files_per_job": 5},
    }
    return written(Configuration, answer)


def model(name: str, stems: list[str], *, available: bool) -> dict[str, Any]:
    return {
        "name": name,
        "family": name,
        "stems": stems,
        "licence": f"Licence of {name}",
        "description": f"About {name}.",
        "available": available,
    }


def job(state: str, **changes: Any) -> Any:
    """A job of one track with a name that tries to mark up the page."""
    answer = {
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
                "id": TRACK_ID,
                "name": "<b>song</b>.wav",
                "state": state,
                "analysis": {k: v for k, v in ANALYSIS.items() if not isinstance(v, list | dict)},
                "error": None,
            }
        ],
        "n_failed_tracks": 0,
        "n_files": 4,
        "can_retry": False,
        "stages": [
            stage(0, "separation", "completed", 4.6),
            stage(0, "tempo", "running"),
            stage(None, "playlist", "pending"),
        ],
        "warnings": [],
        "error": None,
        "links": LINKS,
        **changes,
    }
    return written(Job, answer)


def stage(
    track_index: int | None, name: str, state: str, seconds: float | None = None
) -> dict[str, Any]:
    return {
        "track_index": track_index,
        "name": name,
        "state": state,
        "seconds": seconds,
        "attempts": 1,
    }


def receipt(state: str = "queued") -> Any:
    return written(JobReceipt, {"job_id": JOB_ID, "state": state, "links": LINKS})


SURE = {"n_bars": 4, "confidence": 0.9}
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
        {"start_s": 0.0, "end_s": 8.0, "label": "intro", "letter": "A", **SURE},
        {"start_s": 8.0, "end_s": 20.2, "label": "chorus", "letter": "B", **SURE},
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
        "stage": "delivery",
        "format": suffix,
        "sha256": "0" * 64,
        "bytes": 5_338_740,
        "duration_s": 20.2,
        "sample_rate": 44100,
        "bit_depth": "24",
        "gain_db": 0.2,
        "track_index": None if role == "playlist" else 0,
        "url": f"/download/{JOB_ID}/song/{label}.{suffix}",
    }


FILES = (
    artefact("waveform", "waveforms", "json"),
    artefact("composite", "main"),
    artefact("stem", "accompaniment"),
    artefact("stem", "vocals"),
    artefact("playlist", "My set", "m3u8"),
)


def outputs(*files: dict[str, Any]) -> Any:
    answer = {"job_id": JOB_ID, "artefacts": files, "zip_url": f"/download/{JOB_ID}/all"}
    return written(Outputs, answer)


def manifest(*analyses: dict[str, Any]) -> Any:
    """The record of a job with a track for each analysis."""
    composite = {
        "name": "composite",
        "version": "1",
        "result": {"skipped": {"drumless": "It gives no drums."}},
    }
    song = {"index": 0, "title": "<i>T</i>", "artist": None, "camelot": "8A", "starts_s": 0.0}
    answer = {
        "job_id": JOB_ID,
        "created_at": "2026-11-21T06:14:05Z",
        "tracks": [
            {
                "index": index,
                "source": {"name": "<b>song</b>.wav", "sha256": TRACK_ID, "bytes": 4},
                "stages": [composite] if analysis else [],
                "analysis": written(JobFacts, analysis),
            }
            for index, analysis in enumerate(analyses)
        ],
        "playlist": {"name": "My set", "tracks": [song], "transitions": []}
        if any(analyses)
        else {},
    }
    return written(ProcessingManifest, answer)


def track_details(facts: dict[str, Any], corrected: list[str]) -> Any:
    """The job's track in the library, with these corrected facts."""
    unknown = dict.fromkeys(TrackDetails.model_fields)
    answer = {
        **unknown,
        "id": TRACK_ID,
        "title": "Song",
        "name": "song.wav",
        "bytes": 4,
        "n_files": 1,
        "stems": ["vocals"],
        "corrected": corrected,
        "added_at": "2026-11-21T06:14:31Z",
        "is_missing": False,
        "tags": {},
        "facts": facts,
        "corrections": {
            "values": {},
            "corrected_at": {},
            "analysed": {},
            "tags": {},
            "n_undo": len(corrected),
        },
        "enrichment": {},
        "version": "1",
        "jobs": [JOB_ID],
    }
    return written(TrackDetails, answer)


def give_finished_job(server: Server, state: str = "completed", **changes: Any) -> None:
    """Let a server know one job, as it is when it has ended."""
    server.answer("GET", f"/job/{JOB_ID}", job(state, **changes))
    server.answer("GET", f"/job/{JOB_ID}/outputs", outputs(*FILES))
    server.answer("GET", f"/job/{JOB_ID}/manifest", manifest(ANALYSIS))
    server.answer("GET", "/config", config())
    unknown = {"code": "track_not_found", "detail": "There is no such track."}
    server.problem("GET", f"/library/tracks/{TRACK_ID}", 404, **unknown)
