"""Tags of a visitor: handed out on request, and gone after an erasure, from memory and store."""

from door import open_door


def test_tags_are_exported_and_erased(tmp_path):
    with open_door(tmp_path / "data") as door:
        door.put_product("mug", title="Mug", stock=1)
        for tags in (["vip", "zq7-canary"], ["vip"]):
            assert door.call("PUT", "/v1/visitors/ann/tags", {"tags": tags}).status == 200
        door.call("PUT", "/v1/visitors/ben/tags", {"tags": ["vip"]})
        exported = door.get("/v1/visitors/ann/export").json()
        assert [given["tags"] for given in exported["tags"]] == [["vip"], ["vip", "zq7-canary"]]
        assert door.call("DELETE", "/v1/visitors/ann").status == 202
        door.run(door.installation.erasing.erasures.finished("default"))
        assert door.get("/v1/visitors/ann").json()["traits"]["tags"] == []
        assert door.get("/v1/visitors/ben").json()["traits"]["tags"] == ["vip"]
        assert door.get("/v1/visitors/ann/export").json()["tags"] == []
    with open_door(tmp_path / "data") as door:
        assert door.get("/v1/visitors/ann").json()["traits"]["tags"] == []
