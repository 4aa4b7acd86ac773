# Two stages: wheels are installed by hash in the first, the second has no build tools and no root.
FROM python:3.12-slim AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements/run.txt requirements/run.txt
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md ./
COPY app app
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && /venv/bin/python -m app.web.vega_bundle \
    && /venv/bin/python -m compileall -q app

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin groundhog
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY alembic.ini ./
COPY migrations migrations
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 GROUNDHOG_HOST=0.0.0.0
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"GROUNDHOG_PORT\", 8000)}/readyz', timeout=2)"]
ENTRYPOINT ["groundhog"]
CMD ["serve"]
