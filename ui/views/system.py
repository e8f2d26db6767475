"""System: whether all is well, what waits and runs, models, disk, settings, and what failed."""

import streamlit as st

from stemcrate.schemas.configuration import Health, WorkerInfo
from stemcrate.schemas.system import DiskInfo, QueueInfo, RecentFailure, SettingInfo, SystemReport
from ui.connection import connect
from ui.language import counted, mark, t
from ui.parts.markup import meter, show_heading, show_html, show_section, table
from ui.parts.messages import errors_shown
from ui.parts.model_choice import show_models
from ui.places import results_link
from ui.style import space_for
from ui.text import UNKNOWN, escape_html, escape_markdown, length, moment, size

LOOK_EVERY_S = 10.0
WARNING = ":material/warning:"
FOLDERS = {
    "outputs": mark("Results of jobs"),
    "uploads": mark("Uploaded files"),
    "incoming": mark("Uploads on their way"),
    "cache": mark("Kept work: repeated jobs and the player are faster by it"),
    "renders": mark("Exported mixes"),
    "facts": mark("Facts of analysed recordings"),
    "library": mark("The library: tracks, sets, covers, corrections"),
    "models": mark("Weights of models"),
    "fetches": mark("Requested downloads of weights"),
    "logs": mark("Logs"),
    "downloads": mark("Packs that are being made"),
    ".": mark("The database"),
}


def show() -> None:
    """Show how this installation stands."""
    show_heading(t("System"), t("How this installation stands."))
    client = connect()
    with errors_shown():
        # Read first, shown at once: parts that come one by one push each other down.
        config, report = client.get_config(), client.get_system()
        n_rows = len(report.workers) + sum(1 for folder in report.disk.folders if folder.bytes)
        with st.container(key=space_for("standing", n_rows)):
            _show_standing()
        show_section(t("Models"))
        show_models(config)
        _show_failures(report.failures)
        show_section(t("Settings and versions"))
        with st.expander(t("Settings in force")):
            _show_settings(report.settings)
        with st.expander(t("Versions")):
            rows = [[escape_html(k), escape_html(v)] for k, v in _versions(report).items()]
            show_html(table([t("Name"), t("Version")], rows))


@st.fragment(run_every=LOOK_EVERY_S)
def _show_standing() -> None:
    client = connect()
    with errors_shown():
        health = client.get_health()
        report = client.get_system()
        _show_health(health, report.disk)
        _show_figures(report)
        show_section(t("Workers"))
        _show_workers(report.workers)
        show_section(t("Disk"))
        _show_disk(report.disk)


def _show_health(health: Health, disk: DiskInfo) -> None:
    if health.status == "ok" and not health.stalled_jobs:
        st.success(t("All is well: jobs are accepted and run."), icon=":material/check_circle:")
    if health.status == "no_database":
        st.error(t("The database does not answer. Jobs are refused until it does."), icon=WARNING)
    if health.status == "no_workers":
        st.warning(
            t("No worker runs: jobs are accepted and wait. `stemcrate worker` starts one."),
            icon=WARNING,
        )
    if health.status == "disk_full":
        needed = size(disk.min_free_bytes)
        st.error(
            t("New files are refused: less than {size} of the disk is free.", size=needed),
            icon=WARNING,
        )
    if health.stalled_jobs:
        st.warning(
            counted(
                health.stalled_jobs,
                "{n} job stands still: its worker has ended, and no other has taken it.",
                "{n} jobs stand still: their workers have ended, and no other has taken them.",
            ),
            icon=WARNING,
        )


def _show_figures(report: SystemReport) -> None:
    with st.container(horizontal=True):
        for label, value in _figures(report.queue, len(report.workers), report.disk).items():
            st.metric(label, value, width=150)


def _figures(queue: QueueInfo | None, n_workers: int, disk: DiskInfo) -> dict[str, str]:
    return {
        t("Running"): str(queue.running) if queue else UNKNOWN,
        t("Waiting"): str(queue.waiting) if queue else UNKNOWN,
        t("Longest wait"): length(queue.oldest_waiting_s) if queue else UNKNOWN,
        t("Workers"): str(n_workers),
        t("Free on the disk"): size(disk.free_bytes),
    }


def _show_workers(workers: list[WorkerInfo]) -> None:
    if not workers:
        st.caption(t("None."))
        return
    rows = [
        [
            str(number),
            escape_html(worker.device or t("looking for its device")),
            escape_html(worker.device_reason),
            escape_html(worker.auto or UNKNOWN),
            escape_html(", ".join(worker.models) or UNKNOWN),
        ]
        for number, worker in enumerate(workers, start=1)
    ]
    header = ["#", t("Device"), t("Why"), t("Default model"), t("Models")]
    show_html(table(header, rows))


def _show_disk(disk: DiskInfo) -> None:
    used = sum(folder.bytes for folder in disk.folders)
    st.caption(
        t(
            "{used} are Stemcrate's, {free} of {total} are free.",
            used=size(used),
            free=size(disk.free_bytes),
            total=size(disk.total_bytes),
        )
    )
    rows = [
        [
            escape_html(t(FOLDERS.get(folder.name, folder.name))),
            f"{meter(folder.bytes / max(used, 1))}{size(folder.bytes)}",
        ]
        for folder in disk.folders
        if folder.bytes
    ]
    show_html(table([t("What"), t("Size")], rows))


def _show_failures(failures: list[RecentFailure]) -> None:
    show_section(t("What failed lately"))
    if not failures:
        st.caption(t("Nothing in the last jobs."))
    for failure in failures:
        with st.container(border=True):
            when = moment(failure.at, st.context.timezone)
            st.markdown(
                f"[**{escape_markdown(failure.name or failure.job_id)}**]"
                f"({results_link(failure.job_id)}) · {escape_markdown(when)} · `{failure.code}`"
            )
            st.caption(escape_markdown(" ".join(filter(None, (failure.message, failure.hint)))))


def _show_settings(settings: list[SettingInfo]) -> None:
    ordered = sorted(settings, key=lambda setting: setting.is_default)
    rows = [
        [
            f"<code>{escape_html(setting.name)}</code>",
            f"<code>{escape_html(setting.value) or UNKNOWN}</code>",
            t("default") if setting.is_default else f"<b>{t('set')}</b>",
            escape_html(setting.description),
        ]
        for setting in ordered
    ]
    show_html(table([t("Setting"), t("Value"), t("From"), t("What it does")], rows))


def _versions(report: SystemReport) -> dict[str, str]:
    return {"stemcrate": report.version, **report.versions}


if __name__ == "__main__":
    show()
