"""Scripts and functions as redis-py uses them."""

import json

import pytest
import redis

LIMITER = """#!lua name=limiter
redis.register_function('take', function(keys, args)
  local used = redis.call('incr', keys[1])
  if used == 1 then redis.call('pexpire', keys[1], args[2]) end
  return used <= tonumber(args[1]) and 1 or 0
end)
redis.register_function{function_name='used', flags={'no-writes'}, callback=function(keys)
  return redis.call('get', keys[1]) or '0'
end}
"""


@pytest.fixture
def r(start):
    server = start()
    with server.client(decode_responses=True) as client:
        yield client


def test_a_registered_script_is_sent_once(r):
    script = r.register_script("return {KEYS[1], ARGV[1]}")
    assert script(keys=["k"], args=["a"]) == ["k", "a"]
    r.script_flush()
    assert script(keys=["k"], args=["b"]) == ["k", "b"]
    assert r.script_exists(script.sha) == [True]


def test_json_goes_through_a_script(r):
    value = {"name": "caf\u00e9", "tags": ["a", "b"], "n": 1.5, "none": None, "nested": {"x": [1, 2, 3]}}
    script = r.register_script("return cjson.encode(cjson.decode(ARGV[1]))")
    assert json.loads(script(args=[json.dumps(value)])) == value
    packed = r.register_script("return cjson.encode(cmsgpack.unpack(cmsgpack.pack(cjson.decode(ARGV[1]))))")
    assert json.loads(packed(args=['{"a": [1, "two", true]}'])) == {"a": [1, "two", True]}


def test_a_library_limits_a_rate(r):
    assert r.function_load(LIMITER) == "limiter"
    with pytest.raises(redis.ResponseError, match="Library 'limiter' already exists"):
        r.function_load(LIMITER)
    assert r.function_load(LIMITER, replace=True) == "limiter"
    assert [r.fcall("take", 1, "user:1", 3, 60_000) for _ in range(5)] == [1, 1, 1, 0, 0]
    assert r.fcall_ro("used", 1, "user:1") == "5"
    assert 0 < r.pttl("user:1") <= 60_000
    with pytest.raises(redis.ResponseError, match="write flag"):
        r.fcall_ro("take", 1, "user:1", 3, 60_000)
    pipe = r.pipeline(transaction=True)
    pipe.fcall("take", 1, "user:2", 1, 60_000)
    pipe.fcall("take", 1, "user:2", 1, 60_000)
    assert pipe.execute() == [1, 0]


def test_libraries_move_and_go(start):
    server = start()
    with server.client() as r:
        r.function_load(LIMITER)
        payload = r.function_dump()
        r.function_flush()
        assert r.function_list() == []
        r.function_restore(payload)
        (library,) = r.function_list(library="lim*", withcode=True)
        fields = dict(zip(library[::2], library[1::2])) if isinstance(library, list) else library
        assert fields[b"library_code"].decode() == LIMITER
        assert r.function_delete("limiter")
        with pytest.raises(redis.ResponseError, match="Function not found"):
            r.fcall("take", 1, "user:1", 1, 1)


def test_a_user_without_the_key_cannot_reach_it_by_a_function(start):
    server = start()
    with server.client(decode_responses=True) as admin:
        admin.function_load("#!lua name=peek\nredis.register_function('peek', function(k, a) return redis.call('get', a[1]) end)")
        admin.set("secret", "x")
        admin.acl_setuser("ann", enabled=True, passwords=["+p"], commands=["+fcall", "+get"], keys=["open"])
        with server.client(username="ann", password="p", decode_responses=True) as ann:
            assert ann.fcall("peek", 0, "open") is None
            with pytest.raises(redis.ResponseError, match="script"):
                ann.fcall("peek", 0, "secret")
            with pytest.raises(redis.exceptions.NoPermissionError):
                ann.fcall("peek", 1, "secret", "open")
            with pytest.raises(redis.exceptions.NoPermissionError):
                ann.function_list()
