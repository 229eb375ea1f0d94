# Lotus for one machine: the packages of the lock file by hash, the checkout, and a user who owns nothing but the home.
# Kernels are compiled for the machine that runs them, at the first start, and kept in the home's volume.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 lotus \
    && install --directory --owner lotus --mode 0700 /data

WORKDIR /opt/lotus
COPY requirements.lock requirements-fleet.lock requirements-bootstrap.lock ./
ARG LOCK=requirements.lock
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements-bootstrap.lock \
    && .venv/bin/uv pip install --no-cache --require-hashes --compile-bytecode -p .venv/bin/python \
        -r requirements.lock -r "$LOCK"
COPY . .
RUN .venv/bin/pip install --no-deps --no-build-isolation --no-index --editable .

USER lotus
ENV PATH=/opt/lotus/.venv/bin:$PATH \
    LOTUS_HOME=/data \
    LOTUS_KERNEL_CACHE=/data/kernels \
    LOTUS_CONFIG=/opt/lotus/lotus.toml
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "-g", "--"]
CMD ["lotus", "up"]
