"""Find, start, describe and hold Docker Engines."""

from bench.engine.connect import client_of, connect, ensure_engine
from bench.engine.describe import EngineInfo, describe
from bench.engine.find import Endpoint, cli_endpoint
from bench.engine.lock import EngineBusyError, engine_lock
from bench.engine.noise import NoiseProbe, NoiseSample, sample
from bench.engine.private import EngineState, start, status, stop
from bench.engine.state import EngineSpec, ImageStore, known_engines, state_dir

__all__ = [
    "Endpoint",
    "EngineBusyError",
    "EngineInfo",
    "EngineSpec",
    "EngineState",
    "ImageStore",
    "NoiseProbe",
    "NoiseSample",
    "cli_endpoint",
    "client_of",
    "connect",
    "describe",
    "engine_lock",
    "ensure_engine",
    "known_engines",
    "sample",
    "start",
    "state_dir",
    "status",
    "stop",
]
