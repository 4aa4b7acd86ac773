"""Tables arrive under many names: media types, forms, files of spreadsheets and of pandas."""

import pytest

TABLE = "experiment_id,variant_id,date,impressions,successes\nshop,red,2026-03-01,1000.0,120.0\n"


def upload(client, content, content_type):
    return client.post("/metrics/bulk", content=content, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    "content_type", ["text/csv", "text/csv; charset=utf-8", "application/csv", "application/vnd.ms-excel"]
)
def test_csv_is_read_under_each_of_its_media_types(client, content_type):
    assert upload(client, TABLE, content_type).json()["inserted"] == 1


@pytest.mark.parametrize(
    "file", [("daily.csv", TABLE, "text/csv"), ("Daily.CSV", TABLE, "application/octet-stream")]
)
def test_the_file_of_a_form_is_read(client, file):
    answer = client.post("/metrics/bulk", files={"file": file})
    assert (answer.status_code, answer.json().get("inserted")) == (200, 1), answer.text


def test_a_form_is_stored_once_per_idempotency_key(client):
    key, boundary = {"Idempotency-Key": "form"}, "edge"
    part = f'Content-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n{TABLE}'
    body = f"--{boundary}\r\n{part}\r\n--{boundary}--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", **key}
    first, again = (client.post("/metrics/bulk", content=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"data": {"note": "no file"}, "files": {}}, 415, "form"),
        (
            {"files": {"file": ("daily.xlsx", b"PK", "application/octet-stream")}},
            415,
            "application/octet-stream",
        ),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 422, "no file"),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}}, 422, "cannot be read"),
    ],
)
def test_what_is_no_table_is_rejected_with_the_remedy(client, request_, status, words):
    answer = client.post("/metrics/bulk", **request_)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_a_whole_number_may_be_written_as_a_float(client):
    total = {"experiment_id": "shop", "variant_id": "red", "date": "2026-03-01", "successes": 120.0}
    answer = client.post("/metrics/", json={**total, "impressions": 1000.0})
    assert answer.status_code == 200, answer.text
    assert client.get("/metrics/shop").json()["items"][0]["impressions"] == 1000
    assert client.post("/metrics/", json={**total, "impressions": 1000.5}).status_code == 422


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("-100", "Input should be greater than or equal to 0"),
        ("12.5", "Input should be a whole number, such as 1000"),
        ("", "Field required"),
        ("1,000", None),
    ],
)
def test_a_count_that_is_none_is_reported_with_what_it_should_be(client, cell, message):
    text = f"experiment_id,variant_id,date,impressions,successes\nshop,red,2026-03-01,{cell},0\n"
    answer = client.post("/metrics/bulk", content=text, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 422
    if message is not None:
        assert answer.json()["errors"][0]["message"] == message


def test_the_published_maximum_of_a_count_is_the_real_one(client):
    schema = client.get("/openapi.json").json()["components"]["schemas"]["DailyTotal"]
    largest = int(schema["properties"]["impressions"]["maximum"])
    total = {"experiment_id": "shop", "variant_id": "red", "date": "2026-03-01", "successes": 0}
    assert client.post("/metrics/", json={**total, "impressions": largest}).status_code == 200
    assert client.post("/metrics/", json={**total, "impressions": largest + 1}).status_code == 422


def test_a_replay_log_may_begin_with_a_byte_order_mark(client):
    log = "\ufeffarm,propensity,reward\n" + "a,0.5,1\nb,0.5,0\n" * 20
    answer = client.post("/simulations/replay", content=log.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 201, answer.text
