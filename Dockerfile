# onefold as a container: the wheel and what constraints.txt pins, nothing else, run by a user without rights.
FROM python:3.13-slim AS build
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY graph_schema graph_schema
COPY src src
RUN python -m venv /onefold \
    && PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
       /onefold/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home onefold
COPY --from=build /onefold /onefold
ENV PATH=/onefold/bin:$PATH PYTHONUNBUFFERED=1 ONEFOLD_STORE=sqlite:////data/onefold.db
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8470
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8470/healthz', timeout=2)"]
ENTRYPOINT ["onefold"]
CMD ["serve"]
