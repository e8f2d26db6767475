# One image for the API, the worker and the workbench; docker-compose.yml starts one of each.
FROM python:3.11-slim

# The index that torch comes from: its CPU build. docs/installation.md names those for CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

# Inside a container, loopback is out of reach of the published ports. So the API demands keys here,
# and the workbench does not start, unless whoever publishes the ports says by ALLOW_OPEN_NETWORK=true
# that strangers cannot reach them, as docker-compose.yml does.
ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DATA_DIR=/data \
    MODEL_DIR=/data/models \
    API_HOST=0.0.0.0 \
    UI_HOST=0.0.0.0

# The fingerprints that other programs know (Chromaprint). A pinned version would go with the next
# release of the base image's Debian, and break the build.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libchromaprint1 \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /app

COPY requirements.txt ./
RUN pip install "$(grep --only-matching '^torch==[0-9.]*' requirements.txt)" --index-url "${TORCH_INDEX}" \
 && pip install -r requirements.txt

COPY pyproject.toml README.md LICENSE NOTICE config.py ./
COPY stemcrate ./stemcrate
COPY core ./core
COPY api ./api
COPY ui ./ui
COPY cli ./cli
# Compiled here, since the user below cannot write to /app: otherwise every process would compile
# everything again. Checked against nothing, since builders may change the times of files.
RUN pip install --no-deps --editable . \
 && python -m compileall -q --invalidation-mode unchecked-hash . \
 && useradd --create-home --uid 10001 stemcrate \
 && install --directory --owner=stemcrate --mode=0700 /data

USER 10001
VOLUME ["/data"]
EXPOSE 8000 8501

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]

CMD ["stemcrate", "serve"]
