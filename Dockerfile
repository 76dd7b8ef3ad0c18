# The same two versions of one base: the environment is moved from the first stage to the second.
ARG PYTHON_IMAGE=python:3.13.7-slim-bookworm

FROM ${PYTHON_IMAGE} AS builder

# yes: the embedded model's engine comes along (about 100 MB); no: only other providers serve.
ARG ENGINE=yes
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

RUN python3 -m venv /opt/faultmaven
COPY requirements.lock requirements-engine.lock ./
RUN /opt/faultmaven/bin/python -m pip install --only-binary :all: --require-hashes \
        --requirement requirements.lock \
    && if [ "${ENGINE}" = "yes" ]; then \
        /opt/faultmaven/bin/python -m pip install --only-binary :all: --require-hashes \
            --requirement requirements-engine.lock; \
    fi

COPY pyproject.toml README.md LICENSE ./
COPY app app
# The project needs no network: what builds it came from the lock, and leaves again.
RUN /opt/faultmaven/bin/python -m pip install --no-deps --no-index --no-build-isolation . \
    && /opt/faultmaven/bin/python -m pip uninstall --yes \
        editables hatchling pathspec pluggy tomlkit trove-classifiers


FROM ${PYTHON_IMAGE}

LABEL org.opencontainers.image.title="FaultMaven" \
      org.opencontainers.image.description="An LLM gateway for troubleshooting" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"

# The engine is built with OpenMP, whose library slim images lack. Its version is the base's.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*

# A number, so that Kubernetes can see that it is not root. Whatever else is mounted there
# must be writable for it.
RUN install --directory --owner=10001 --group=10001 /data /cache /srv/faultmaven

COPY --from=builder /opt/faultmaven /opt/faultmaven

ENV PATH=/opt/faultmaven/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    HOST=0.0.0.0 \
    PORT=8000 \
    FAULTMAVEN_DATA_DIR=/data \
    FAULTMAVEN_CACHE_DIR=/cache

# A .env file may be mounted here.
WORKDIR /srv/faultmaven
VOLUME ["/data", "/cache"]
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health/live\", timeout=2)"]

CMD ["faultmaven", "serve"]
