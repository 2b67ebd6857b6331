"""Users and their rights as redis-py sees them, and what of them is left after kill -9."""

import pytest
import redis


@pytest.fixture
def admin(start):
    server = start()
    with server.client(decode_responses=True) as client:
        yield server, client


def user(server, name, password, **options):
    return server.client(username=name, password=password, decode_responses=True, **options)


def test_a_user_is_made_and_shown(admin):
    server, r = admin
    assert r.acl_whoami() == "default"
    assert r.acl_setuser(
        "ann",
        enabled=True,
        passwords=["+secret"],
        categories=["+@read", "+@connection"],
        commands=["+set", "-mget"],
        keys=["cart:*"],
        channels=["news"],
    )
    ann = r.acl_getuser("ann")
    assert "on" in ann["flags"]
    assert len(ann["passwords"]) == 1 and len(ann["passwords"][0]) == 64
    assert sorted(r.acl_users()) == ["ann", "default"]
    assert any(line.startswith("user ann on ") for line in r.acl_list())
    assert "read" in r.acl_cat() and "get" in r.acl_cat("read")
    assert len(r.acl_genpass()) == 64
    assert r.acl_dryrun("ann", "get", "cart:1") == "OK"
    assert "'other' key" in r.acl_dryrun("ann", "get", "other")
    with pytest.raises(redis.ResponseError, match="not configured to use an ACL file"):
        r.acl_save()
    assert r.acl_deluser("ann") == 1
    assert r.acl_getuser("ann") is None


@pytest.mark.parametrize("protocol", [2, 3])
def test_rights_are_kept_to(admin, protocol):
    server, r = admin
    r.execute_command("ACL", "SETUSER", "ann", "on", ">secret", "~cart:*", "%R~stock:*", "+@read", "+@write", "+@connection", "+@transaction")
    r.set("stock:1", 5)
    with user(server, "ann", "secret", protocol=protocol) as ann:
        assert ann.set("cart:1", "x")
        assert ann.get("stock:1") == "5"
        with pytest.raises(redis.exceptions.NoPermissionError):
            ann.incr("stock:1")
        with pytest.raises(redis.exceptions.NoPermissionError):
            ann.config_get("*")
        with ann.pipeline() as pipe:
            pipe.set("cart:2", "y").get("other")
            with pytest.raises(redis.exceptions.NoPermissionError):
                pipe.execute()
        assert ann.get("cart:2") is None
        # Taken away while the client is connected.
        r.acl_setuser("ann", enabled=True, commands=["-set"], keys=[], reset=False)
        with pytest.raises(redis.exceptions.NoPermissionError):
            ann.set("cart:1", "z")
        entry = r.acl_log()[0]
        assert (entry["reason"], entry["object"], entry["username"]) == ("command", "set", "ann")
        assert r.acl_log_reset()
    with pytest.raises(redis.exceptions.AuthenticationError):
        user(server, "ann", "wrong", protocol=protocol).ping()


def test_a_deleted_user_is_disconnected(admin):
    server, r = admin
    r.acl_setuser("bob", enabled=True, nopass=True, commands=["+ping", "+client"])
    bob = redis.Connection(host="127.0.0.1", port=server.port, username="bob", password="x")
    bob.connect()
    assert r.acl_deluser("bob") == 1
    with pytest.raises(redis.ConnectionError):
        bob.send_command("PING")
        bob.read_response()
        bob.send_command("PING")
        bob.read_response()


def test_users_survive_kill_9(admin):
    server, r = admin
    r.acl_setuser("ann", enabled=True, passwords=["+secret"], commands=["+get"], keys=["a*"])
    r.acl_setuser("gone", enabled=True, nopass=True)
    r.acl_deluser("gone")
    before = r.acl_list()
    server.kill()
    server.start()
    with server.client(decode_responses=True) as again:
        assert again.acl_list() == before
    with user(server, "ann", "secret") as ann:
        assert ann.get("a1") is None
