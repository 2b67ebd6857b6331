"""What the client library etcd3 offers, method by method."""

import io
import threading
from contextlib import contextmanager

import etcd3
import grpc
import pytest


def values(pairs):
    return [value for value, _ in pairs]


@pytest.fixture
def letters(etcd):
    for letter in "bdac":
        etcd.put(f"/l/{letter}", letter)
    return etcd


def test_put_get_delete(etcd):
    etcd.put("k", "v")
    assert etcd.get("k")[0] == b"v"
    assert etcd.put("k", "w", prev_kv=True).prev_kv.value == b"v"
    assert etcd.delete("k") is True
    assert etcd.delete("k") is False
    assert etcd.get("k") == (None, None)


def test_keys_and_values_are_bytes(etcd):
    key, value = bytes(range(1, 256)), bytes(range(256)) * 10
    etcd.put(key, value)
    assert etcd.get(key)[0] == value
    etcd.put("empty", "")
    assert etcd.get("empty")[0] == b""


def test_an_empty_key_is_refused(etcd):
    with pytest.raises(grpc.RpcError) as refused:
        etcd.put("", "v")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "etcdserver: key is not provided"


def test_a_request_may_have_a_megabyte_and_a_half(etcd):
    etcd.put("large", b"x" * 1_500_000)
    assert len(etcd.get("large")[0]) == 1_500_000
    with pytest.raises(grpc.RpcError) as refused:
        etcd.put("larger", b"x" * 1_600_000)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "etcdserver: request is too large"


def test_a_prefix_is_sorted_as_asked(letters):
    assert values(letters.get_prefix("/l/")) == [b"a", b"b", b"c", b"d"]
    assert values(letters.get_prefix("/l/", sort_order="descend")) == [b"d", b"c", b"b", b"a"]
    assert values(letters.get_prefix("/l/", sort_order="ascend", sort_target="create")) == [b"b", b"d", b"a", b"c"]
    assert values(letters.get_prefix("/l/", sort_order="descend", sort_target="mod")) == [b"c", b"a", b"d", b"b"]
    assert values(letters.get_prefix("/l/", sort_order="descend", sort_target="value")) == [b"d", b"c", b"b", b"a"]
    assert values(letters.get_prefix("/l/", keys_only=True)) == [b"", b"", b"", b""]


def test_ranges(letters):
    assert values(letters.get_range("/l/b", "/l/d")) == [b"b", b"c"]
    assert values(letters.get_range("/l/x", "/l/z")) == []
    assert values(letters.get_all()) == [b"a", b"b", b"c", b"d"]
    answer = letters.get_response("/l/b", serializable=True)
    assert (answer.count, answer.more, answer.kvs[0].value) == (1, False, b"b")
    answer = letters.get_prefix_response("/l/")
    assert answer.count == 4 and answer.header.revision >= answer.kvs[-1].mod_revision


def test_a_prefix_is_deleted(letters):
    letters.put("/m", "stays")
    assert letters.delete_prefix("/l/").deleted == 4
    assert values(letters.get_all()) == [b"stays"]
    assert letters.delete("/m", prev_kv=True, return_response=True).prev_kvs[0].value == b"stays"


def test_put_if_not_exists_and_replace(etcd):
    assert etcd.put_if_not_exists("k", "1") is True
    assert etcd.put_if_not_exists("k", "2") is False
    assert etcd.replace("k", "1", "3") is True
    assert etcd.replace("k", "1", "4") is False
    assert etcd.get("k")[0] == b"3"


def test_transactions(etcd):
    t = etcd.transactions
    etcd.put("k", "v")
    done, answers = etcd.transaction(
        compare=[t.value("k") == "v", t.version("k") > 0, t.create("k") > 0, t.version("none") == 0],
        success=[t.put("k", "w"), t.get("k"), t.delete("none")],
        failure=[t.put("k", "not done")],
    )
    assert done and answers[1][0][0] == b"w"
    done, answers = etcd.transaction(
        compare=[t.value("k") < "a"],
        success=[t.put("k", "not done")],
        failure=[t.get("k"), t.delete("k")],
    )
    assert not done and answers[0][0][0] == b"w"
    assert etcd.get("k") == (None, None)


def test_a_transaction_is_one_revision(etcd):
    t = etcd.transactions
    etcd.transaction(compare=[], success=[t.put("a", "1"), t.put("b", "1"), t.put("c", "1")], failure=[])
    revisions = {metadata.mod_revision for _, metadata in etcd.get_all()}
    assert len(revisions) == 1


def test_nested_transactions_compare_before_anything_is_written(etcd):
    t = etcd.transactions
    inner = t.txn([t.version("a") == 0], [t.put("b", "inner")], [t.put("b", "saw the put")])
    done, _ = etcd.transaction(compare=[], success=[t.put("a", "1"), inner], failure=[])
    assert done and etcd.get("b")[0] == b"inner"


def test_a_key_is_put_once_in_a_transaction(etcd):
    t = etcd.transactions
    with pytest.raises(grpc.RpcError) as refused:
        etcd.transaction(compare=[], success=[t.put("a", "1"), t.put("a", "2")], failure=[])
    assert refused.value.details() == "etcdserver: duplicate key given in txn request"
    with pytest.raises(grpc.RpcError) as refused:
        etcd.transaction(compare=[], success=[t.put(f"k{number}", "1") for number in range(129)], failure=[])
    assert refused.value.details() == "etcdserver: too many operations in txn request"


def test_watch_callbacks_and_cancel(etcd):
    got, two = [], threading.Event()

    def callback(response):
        got.extend(response.events)
        if len(got) >= 2:
            two.set()

    number = etcd.add_watch_callback("watched", callback)
    etcd.put("watched", "1")
    etcd.put("other", "1")
    etcd.put("watched", "2")
    assert two.wait(30)
    etcd.cancel_watch(number)
    etcd.put("watched", "3")
    assert [event.value for event in got] == [b"1", b"2"]


def test_watch_sees_what_was_there_before(etcd):
    etcd.put("k", "1")
    events, cancel = etcd.watch("k", prev_kv=True)
    etcd.put("k", "2")
    etcd.delete("k")
    put, delete = next(events), next(events)
    assert (put.prev_value, put.value) == (b"1", b"2")
    assert (delete.prev_value, type(delete)) == (b"2", etcd3.events.DeleteEvent)
    cancel()


@contextmanager
def putting(etcd, key, value):
    """Puts the value again and again, since nothing tells when a watch has begun."""
    over = threading.Event()

    def put():
        while not over.wait(0.1):
            etcd.put(key, value)

    writer = threading.Thread(target=put)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def test_watch_once(etcd):
    with putting(etcd, "once", "v"):
        assert etcd.watch_once("once", timeout=30).value == b"v"
    with putting(etcd, "once/more", "w"):
        assert etcd.watch_prefix_once("once/", timeout=30).value == b"w"
    with pytest.raises(etcd3.exceptions.WatchTimedOut):
        etcd.watch_once("never", timeout=0.1)


def test_a_watch_from_before_compaction_is_refused(etcd):
    for number in range(5):
        etcd.put("k", str(number))
    revision = etcd.get("k")[1].mod_revision
    etcd.compact(revision)
    events, cancel = etcd.watch("k", start_revision=revision - 3)
    with pytest.raises(etcd3.exceptions.RevisionCompactedError) as refused:
        next(events)
    assert refused.value.compacted_revision == revision
    cancel()
    with pytest.raises(grpc.RpcError) as again:
        etcd.compact(revision)
    assert again.value.details() == "etcdserver: mvcc: required revision has been compacted"
    with pytest.raises(grpc.RpcError) as future:
        etcd.compact(revision + 1000)
    assert future.value.details() == "etcdserver: mvcc: required revision is a future revision"


def test_leases(etcd):
    lease = etcd.lease(100)
    etcd.put("k", "v", lease=lease)
    assert (lease.granted_ttl, lease.keys) == (100, [b"k"])
    assert 0 < lease.remaining_ttl <= 100
    assert lease.refresh()[0].TTL == 100
    assert etcd.get("k")[1].lease_id == lease.id
    lease.revoke()
    assert etcd.get("k") == (None, None)
    assert etcd.get_lease_info(lease.id).TTL == -1
    with pytest.raises(grpc.RpcError) as refused:
        etcd.put("k", "v", lease=lease.id)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert refused.value.details() == "etcdserver: requested lease not found"


def test_a_lease_with_an_id_of_ones_own(etcd):
    lease = etcd.lease(100, lease_id=4711)
    assert lease.id == 4711
    with pytest.raises(etcd3.exceptions.PreconditionFailedError) as refused:
        etcd.lease(100, lease_id=4711)
    assert refused.value.__context__.details() == "etcdserver: lease already exists"
    lease.revoke()


def test_put_again_without_the_lease_keeps_the_key(etcd):
    lease = etcd.lease(100)
    etcd.put("k", "1", lease=lease)
    etcd.put("k", "2")
    lease.revoke()
    assert etcd.get("k")[0] == b"2"


def test_status_and_members(etcd):
    status = etcd.status()
    assert status.db_size > 0
    assert [member.id for member in etcd.members] == [status.leader.id]
    assert list(next(iter(etcd.members)).active_alarms) == []


def test_maintenance(etcd):
    etcd.put("k", "v")
    assert etcd.hash() != 0
    etcd.defragment()
    assert list(etcd.list_alarms()) == []
    copy = io.BytesIO()
    etcd.snapshot(copy)
    assert copy.tell() > 0


def test_alarms(etcd):
    alarms = etcd.create_alarm()
    assert len(alarms) == 1
    with pytest.raises(grpc.RpcError) as refused:
        etcd.put("k", "v")
    assert refused.value.details() == "etcdserver: mvcc: database space exceeded"
    assert len(list(etcd.list_alarms())) == 1
    assert len(etcd.disarm_alarm()) == 1
    etcd.put("k", "v")
