"""BuildKit's status messages as they come out of the Engine API.

The build stream holds lines ``{"id": "moby.buildkit.trace", "aux": "<base64>"}``; the bytes are a
``StatusResponse`` (moby/buildkit ``api/services/control/control.proto``). Only the fields that
the harness reads are declared; protobuf skips the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from google.protobuf.message import Message

_PACKAGE = "cachebench.status"
_TYPE = descriptor_pb2.FieldDescriptorProto
# message -> field -> (number, type, repeated); a type in quotes is another message of this table.
_SCHEMA: dict[str, dict[str, tuple[int, str, bool]]] = {
    "StatusResponse": {"vertexes": (1, "Vertex", True), "logs": (3, "VertexLog", True)},
    "Vertex": {
        "digest": (1, "string", False),
        "inputs": (2, "string", True),
        "name": (3, "string", False),
        "cached": (4, "bool", False),
        "started": (5, "Timestamp", False),
        "completed": (6, "Timestamp", False),
        "error": (7, "string", False),
    },
    "VertexLog": {"vertex": (1, "string", False), "msg": (4, "bytes", False)},
    "Timestamp": {"seconds": (1, "int64", False), "nanos": (2, "int32", False)},
}
_SCALARS = {
    "string": _TYPE.TYPE_STRING,
    "bool": _TYPE.TYPE_BOOL,
    "bytes": _TYPE.TYPE_BYTES,
    "int64": _TYPE.TYPE_INT64,
    "int32": _TYPE.TYPE_INT32,
}


def _status_response_class() -> type[Message]:
    file = descriptor_pb2.FileDescriptorProto(
        name="cachebench/status.proto", package=_PACKAGE, syntax="proto3"
    )
    for message_name, fields in _SCHEMA.items():
        message = file.message_type.add(name=message_name)
        for name, (number, kind, repeated) in fields.items():
            field = message.field.add(name=name, number=number)
            field.label = _TYPE.LABEL_REPEATED if repeated else _TYPE.LABEL_OPTIONAL
            if kind in _SCALARS:
                field.type = _SCALARS[kind]
            else:
                field.type = _TYPE.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.StatusResponse"))


_StatusResponse = _status_response_class()


@dataclass(frozen=True)
class VertexEvent:
    """One report about one vertex; times are seconds since the epoch by the daemon's clock."""

    digest: str
    inputs: tuple[str, ...]
    name: str
    cached: bool
    started: float | None
    completed: float | None
    error: str


@dataclass(frozen=True)
class Status:
    """What one message tells: vertices, and lines that steps printed."""

    vertices: tuple[VertexEvent, ...]
    log_lines: tuple[str, ...]


def decode_status(payload: bytes) -> Status:
    """Decode one ``StatusResponse``.

    Raises:
        ValueError: the bytes are no such message.

    """
    message: Any = _StatusResponse()
    try:
        message.ParseFromString(payload)
    except Exception as error:  # protobuf's DecodeError differs between its implementations
        raise ValueError(f"not a BuildKit status message: {error}") from error
    return Status(
        vertices=tuple(_vertex_event(vertex) for vertex in message.vertexes),
        log_lines=tuple(
            line for log in message.logs for line in log.msg.decode(errors="replace").splitlines()
        ),
    )


def _vertex_event(vertex: Any) -> VertexEvent:
    return VertexEvent(
        digest=vertex.digest,
        inputs=tuple(vertex.inputs),
        name=vertex.name,
        cached=vertex.cached,
        started=_seconds(vertex.started) if vertex.HasField("started") else None,
        completed=_seconds(vertex.completed) if vertex.HasField("completed") else None,
        error=vertex.error,
    )


def _seconds(timestamp: Any) -> float:
    return float(timestamp.seconds) + float(timestamp.nanos) / 1e9
