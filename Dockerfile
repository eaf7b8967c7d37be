# Runs the quickstart:
#   docker build -t surrogate-nas .
#   mkdir -p runs && docker run --rm --user "$(id -u)" -v "$PWD/runs:/home/user/runs" surrogate-nas
# A package index with CPU builds of PyTorch makes a smaller image; without one, pip takes PyTorch as for any machine:
#   docker build --build-arg TORCH_INDEX=https://... -t surrogate-nas .
FROM python:3.13-slim AS build

ARG TORCH_INDEX=""
WORKDIR /source
COPY constraints.txt ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --no-cache-dir --constraint constraints.txt \
       ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch torchvision
COPY pyproject.toml README.md LICENSE ./
COPY surrogate_nas surrogate_nas
COPY spaces spaces
COPY studies studies
RUN /opt/venv/bin/python -m pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.13-slim

# Any user may write here, since the folder of runs belongs to whoever mounts it.
RUN useradd --home-dir /home/user --uid 1000 user && mkdir -p /home/user/runs && chmod -R a+rwX /home/user
COPY --from=build /opt/venv /opt/venv
# PyTorch looks up the name of the user, which a number given by --user does not have.
ENV PATH=/opt/venv/bin:$PATH HOME=/home/user USER=user PYTHONUNBUFFERED=1
USER user
WORKDIR /home/user
ENTRYPOINT ["surrogate-nas"]
CMD ["study", "quickstart", "--resume"]
