"""Replicas that share no folder: archive and snapshots are in S3."""

from replica_group import PRODUCTS, eventually

SECRET = "0ce8ead21112387365458edb9c2f92d7c991a1a5a74423cf0c6be5690cc87fc3"


def test_replicas_without_a_common_folder(replicas, servers, tmp_path):
    s3 = servers["s3"]
    common = {
        "ENDCAP_SECRET": SECRET,
        "ENDCAP_OBJECTS_URL": s3.create("replicas-alone"),
        "ENDCAP_BUILD_EVERY": "1",
        **s3.environment,
    }
    one, two = (
        replicas.start(1, ENDCAP_DATA=str(tmp_path / name), **common)[0] for name in ("one", "two")
    )
    for product in PRODUCTS:
        one.put(product, price="1.00", stock=5)
    for n in range(40):
        one.send(f"e{n}", f"v{n % 20}", PRODUCTS[n % 4], type="purchase", quantity=1)

    def snapshots():
        return {client.ready()[1]["snapshot"] for client in (one, two)}

    eventually(lambda: None not in snapshots() and len(snapshots()) == 1, 60)
    assert (tmp_path / "one/snapshots").is_dir()
    assert (tmp_path / "two/snapshots").is_dir()
    # Without the storage answers go on, and builds follow when it is back.
    s3.kill()
    try:
        for client in (one, two):
            assert len(client.items("popular")) == 12
            assert client.ready()[0] == 200
            assert client.send("while-away", "v", "p1")[0] == 202
    finally:
        s3.start()
    s3.create("replicas-alone")  # What moto held went with it.
    before = snapshots()
    eventually(lambda: len(snapshots()) == 1 and snapshots() != before, 60)
