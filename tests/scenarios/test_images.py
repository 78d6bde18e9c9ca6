"""The applications of the shipped scenarios build, run and answer."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.images import output_of, request
from tests.scenarios.shipped import NAMES, shipped

if TYPE_CHECKING:
    from bench.scenario import Probe
    from tests.scenarios.conftest import Start
    from tests.scenarios.images import Images

pytestmark = [pytest.mark.engine, pytest.mark.slow]

PROBES = [(name, probe) for name in NAMES for probe in shipped(name).probes]


@pytest.mark.parametrize(("name", "probe"), PROBES, ids=[f"{n}-{p.name}" for n, p in PROBES])
def test_the_image_does_what_the_probe_says(name: str, probe: Probe, images: Images) -> None:
    image = images.image_of(name, probe.variant)
    exit_status, printed = output_of(images.client, image, probe.run, dict(probe.env))
    assert (exit_status, printed) == (probe.expect_exit, probe.expect_stdout)


@pytest.mark.parametrize("variant", ["as-written", "reproducible-jar"])
def test_the_java_service_names_an_image_for_today(variant: str, start: Start) -> None:
    answer = request(start("java-iotd", variant), "/image")
    assert "200 OK" in answer
    image = json.loads(answer.partition("\r\n\r\n")[2])
    today = dt.datetime.now(dt.UTC).date()
    assert abs((dt.date.fromisoformat(image["date"]) - today).days) <= 1
    assert image["title"]


def test_java_metadata_first_gives_the_same_image_config(images: Images) -> None:
    configs = [
        images.client.images.get(images.image_of("java-iotd", variant)).attrs["Config"]
        for variant in ("as-written", "metadata-first")
    ]
    for key in ("ExposedPorts", "Entrypoint", "Cmd", "Env", "WorkingDir"):
        assert configs[0][key] == configs[1][key], key


@pytest.mark.parametrize("variant", ["as-written", "test-chained"])
def test_the_node_service_counts_visits(variant: str, start: Start) -> None:
    container = start("node-access-log", variant)
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.7"):
        body = json.dumps({"clientIp": address})
        assert "204 No Content" in request(container, "/access-log", method="POST", body=body)
    stats = json.loads(request(container, "/stats").partition("\r\n\r\n")[2])
    assert stats == {"visits": 3, "visitors": 2}


def test_the_go_page_says_so_where_the_image_service_is_not_there(start: Start) -> None:
    answer = request(start("go-gallery", "as-written"), "/")
    assert "502 Bad Gateway" in answer
    assert "cannot be reached" in answer


def test_the_three_services_of_the_notes_work_together(start: Start) -> None:
    """The gallery finds the other two by its environment variables, set anew without a build."""
    images_service = start("java-iotd", "as-written", environment={"PORT": "8081"})
    together = f"container:{images_service.id}"
    access_log = start(
        "node-access-log", "as-written", environment={"PORT": "8082"}, network_mode=together
    )
    gallery = start(
        "go-gallery",
        "as-written",
        environment={
            "IMAGE_API_URL": "http://127.0.0.1:8081/image",
            "ACCESS_API_URL": "http://127.0.0.1:8082/access-log",
        },
        network_mode=together,
    )
    image = json.loads(request(images_service, "/image", port=8081).partition("\r\n\r\n")[2])
    request(access_log, "/stats", port=8082)
    assert f"<h1>{image['title']}</h1>" in request(gallery, "/")
    stats = json.loads(request(access_log, "/stats", port=8082).partition("\r\n\r\n")[2])
    assert stats == {"visits": 1, "visitors": 1}


@pytest.mark.parametrize("variant", ["dev", "deploy"])
def test_the_guestbook_keeps_what_is_written(variant: str, start: Start) -> None:
    container = start("dev-and-deploy", variant)
    form = "application/x-www-form-urlencoded"
    signed = request(container, "/", method="POST", body="name=Ada&text=hello", content_type=form)
    assert "303 See Other" in signed
    assert "<b>Ada</b>: hello" in request(container, "/")


def test_the_deployment_image_is_less_than_a_third_of_the_development_image(
    images: Images,
) -> None:
    dev, deploy = (
        images.client.images.get(images.image_of("dev-and-deploy", variant)).attrs["Size"]
        for variant in ("dev", "deploy")
    )
    assert deploy * 3 < dev
