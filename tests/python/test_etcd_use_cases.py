"""What applications do with etcd: the state of a cluster, service discovery, locks, elections, configuration."""

import json
import queue
import threading
import time
from contextlib import contextmanager

import etcd3
import pytest

PATIENCE_S = 30


def until(what, condition):
    """Waits until the condition gives something true, and returns that."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
    return found


class Watching:
    """Reads a watch of a prefix in a thread; `next` gives its events."""

    def __init__(self, client, prefix, **options):
        self.events, self.cancel = client.watch_prefix(prefix, **options)
        self.queue = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for event in self.events:
            self.queue.put(event)

    def next(self):
        return self.queue.get(timeout=PATIENCE_S)


@pytest.fixture
def watching(etcd):
    """Watches of prefixes, cancelled in the end."""
    open_ones = []

    def watch(prefix, **options):
        open_ones.append(Watching(etcd, prefix, **options))
        return open_ones[-1]

    yield watch
    for one in open_ones:
        one.cancel()


# The state of a cluster, as Kubernetes keeps it.

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "nginx-pod", "namespace": "default"},
    "spec": {"containers": [{"name": "nginx", "image": "nginx:1.21"}]},
}


def pod_key(namespace, name):
    return f"/registry/pods/{namespace}/{name}"


def test_pods_are_stored_and_read(etcd):
    etcd.put(pod_key("default", "nginx-pod"), json.dumps(POD))
    value, metadata = etcd.get(pod_key("default", "nginx-pod"))
    assert json.loads(value) == POD
    assert metadata.key == b"/registry/pods/default/nginx-pod"
    assert (metadata.version, metadata.create_revision) == (1, metadata.mod_revision)
    assert etcd.get(pod_key("default", "other")) == (None, None)


def test_pods_of_a_namespace_are_watched(etcd, watching):
    pods = watching("/registry/pods/default/")
    etcd.put(pod_key("default", "nginx-pod"), json.dumps(POD))
    etcd.put(pod_key("kube-system", "dns"), json.dumps(POD))
    etcd.delete(pod_key("default", "nginx-pod"))
    created, deleted = pods.next(), pods.next()
    assert isinstance(created, etcd3.events.PutEvent)
    assert (created.key, json.loads(created.value)) == (b"/registry/pods/default/nginx-pod", POD)
    assert isinstance(deleted, etcd3.events.DeleteEvent)
    assert (deleted.key, deleted.value) == (b"/registry/pods/default/nginx-pod", b"")
    assert pods.queue.empty()


def test_a_controller_takes_up_where_it_stopped(etcd, watching):
    etcd.put(pod_key("default", "a"), "1")
    _, seen = etcd.get(pod_key("default", "a"))
    etcd.put(pod_key("default", "a"), "2")
    etcd.put(pod_key("default", "b"), "1")
    later = watching("/registry/pods/", start_revision=seen.mod_revision + 1)
    assert [later.next().value for _ in range(2)] == [b"2", b"1"]


def test_an_update_of_what_has_changed_is_refused(etcd):
    key = pod_key("default", "a")
    etcd.put(key, "1")
    _, seen = etcd.get(key)

    def update(value):
        done, _ = etcd.transaction(
            compare=[etcd.transactions.mod(key) == seen.mod_revision],
            success=[etcd.transactions.put(key, value)],
            failure=[etcd.transactions.get(key)],
        )
        return done

    assert update("2")
    assert not update("3")
    assert etcd.get(key)[0] == b"2"


# Services that register themselves and are found by others.


class ServiceRegistry:
    def __init__(self, client, service, instance, ttl=10, beat_s=0.2):
        self.client, self.service, self.instance, self.ttl, self.beat_s = client, service, instance, ttl, beat_s
        self.lease, self.beats, self.failed = None, 0, threading.Event()
        self.silent = threading.Event()

    @property
    def key(self):
        return f"/services/{self.service}/{self.instance}"

    def register(self, host, port):
        self.lease = self.client.lease(self.ttl)
        self.client.put(self.key, json.dumps({"host": host, "port": port}), lease=self.lease)
        threading.Thread(target=self.keep_alive, daemon=True).start()

    def keep_alive(self):
        while not self.silent.wait(self.beat_s):
            answer = self.lease.refresh()[0]
            if answer.TTL == 0:
                self.failed.set()
                return
            self.beats += 1

    def deregister(self):
        self.silent.set()
        self.client.delete(self.key)
        self.lease.revoke()


def discover(client, service):
    return [json.loads(value) for value, _ in client.get_prefix(f"/services/{service}/")]


def test_instances_register_and_are_found(etcd):
    first, second = (ServiceRegistry(etcd, "api", f"instance-{number}") for number in (1, 2))
    other = ServiceRegistry(etcd, "api-v2", "instance-1")
    first.register("10.0.1.5", 8080)
    second.register("10.0.1.6", 8080)
    other.register("10.0.2.5", 8080)
    assert [instance["host"] for instance in discover(etcd, "api")] == ["10.0.1.5", "10.0.1.6"]
    first.deregister()
    assert [instance["host"] for instance in discover(etcd, "api")] == ["10.0.1.6"]
    second.deregister()
    other.deregister()
    assert discover(etcd, "api") == []


def test_heartbeats_keep_an_instance_and_silence_removes_it(etcd, watching):
    services = watching("/services/api/")
    instance = ServiceRegistry(etcd, "api", "instance-1", ttl=5)
    instance.register("10.0.1.5", 8080)
    added = services.next()
    assert json.loads(added.value)["port"] == 8080
    until("heartbeats for longer than the lease", lambda: instance.beats > 28)
    assert discover(etcd, "api")
    assert 0 < instance.lease.remaining_ttl <= 5
    instance.silent.set()
    removed = services.next()
    assert isinstance(removed, etcd3.events.DeleteEvent)
    assert removed.key == b"/services/api/instance-1"
    assert discover(etcd, "api") == []


def test_a_lost_lease_is_noticed_by_its_heartbeat(etcd):
    instance = ServiceRegistry(etcd, "api", "instance-1", ttl=60, beat_s=0.05)
    instance.register("10.0.1.5", 8080)
    etcd.revoke_lease(instance.lease.id)
    assert instance.failed.wait(PATIENCE_S)
    assert discover(etcd, "api") == []


# Locks and elections.


class DistributedLock:
    def __init__(self, client, name, ttl=30):
        self.client, self.key, self.ttl = client, f"/locks/{name}", ttl
        self.lease = None

    @contextmanager
    def acquire(self, timeout=10):
        self.lease = self.client.lease(self.ttl)
        deadline = time.monotonic() + timeout
        while not self.attempt():
            if time.monotonic() > deadline:
                raise TimeoutError(self.key)
            time.sleep(0.01)
        try:
            yield
        finally:
            self.client.delete(self.key)
            self.lease.revoke()

    def attempt(self):
        done, _ = self.client.transaction(
            compare=[self.client.transactions.version(self.key) == 0],
            success=[self.client.transactions.put(self.key, "locked", lease=self.lease)],
            failure=[],
        )
        return done


def test_a_lock_has_one_holder(keeper, etcd):
    inside, most, rounds = 0, 0, []

    def work(number):
        nonlocal inside, most
        client = keeper.client()
        for _ in range(5):
            with DistributedLock(client, "job").acquire(timeout=PATIENCE_S):
                inside += 1
                most = max(most, inside)
                time.sleep(0.002)
                inside -= 1
                rounds.append(number)
        client.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_S)
    assert (most, len(rounds)) == (1, 20)
    assert etcd.get("/locks/job") == (None, None)


def test_a_held_lock_is_refused_within_the_timeout(etcd):
    with DistributedLock(etcd, "job").acquire():
        with pytest.raises(TimeoutError):
            with DistributedLock(etcd, "job").acquire(timeout=0.1):
                pass


def test_the_lock_of_a_dead_holder_is_free_after_its_lease(etcd):
    dead = DistributedLock(etcd, "job", ttl=1)
    dead.lease = etcd.lease(5)
    assert dead.attempt()
    with DistributedLock(etcd, "job").acquire(timeout=PATIENCE_S):
        assert etcd.get("/locks/job")[1].lease_id != dead.lease.id


def test_the_lock_of_the_client_library(keeper, etcd):
    lock = etcd.lock("library", ttl=20)
    assert lock.acquire() and lock.is_acquired()
    other_client = keeper.client()
    other = other_client.lock("library", ttl=20)
    assert not other.acquire(timeout=0)
    # The library tries, and only then begins to watch: it does not see a release between the two, and sleeps until its timeout.
    waiting = threading.Thread(target=lambda: until("the release", lambda: other.acquire(timeout=1)))
    waiting.start()
    assert lock.release() and not lock.is_acquired()
    waiting.join(PATIENCE_S)
    assert other.is_acquired()
    other.release()
    other_client.close()


class LeaderElection:
    def __init__(self, client, name, instance, ttl):
        self.client, self.key, self.instance = client, f"/elections/{name}/leader", instance
        self.lease = client.lease(ttl)

    def campaign(self):
        done, _ = self.client.transaction(
            compare=[self.client.transactions.version(self.key) == 0],
            success=[self.client.transactions.put(self.key, self.instance, lease=self.lease)],
            failure=[],
        )
        return done

    def leader(self):
        return self.client.get(self.key)[0]


def test_a_leader_is_followed_when_its_lease_ends(etcd):
    first = LeaderElection(etcd, "controller", "instance-1", ttl=5)
    second = LeaderElection(etcd, "controller", "instance-2", ttl=60)
    assert first.campaign()
    assert not second.campaign()
    assert second.leader() == b"instance-1"
    until("the second to be elected", second.campaign)
    assert first.leader() == b"instance-2"
    assert not first.campaign()


def test_a_leader_that_keeps_alive_stays(etcd):
    first = LeaderElection(etcd, "controller", "instance-1", ttl=5)
    second = LeaderElection(etcd, "controller", "instance-2", ttl=60)
    assert first.campaign()
    begun = time.monotonic()
    while time.monotonic() < begun + 6:
        assert first.lease.refresh()[0].TTL == 5
        assert not second.campaign()
        time.sleep(0.1)


# Configuration.


class ConfigManager:
    def __init__(self, client, application, environment):
        self.client, self.prefix = client, f"/config/{application}/{environment}/"
        self.cache = {}

    def set(self, name, value):
        self.client.put(self.prefix + name, json.dumps(value))

    def get(self, name, default=None):
        if name in self.cache:
            return self.cache[name]
        value, _ = self.client.get(self.prefix + name)
        if value is None:
            return default
        self.cache[name] = json.loads(value)
        return self.cache[name]

    def all(self):
        return {metadata.key.decode().split("/")[-1]: json.loads(value) for value, metadata in self.client.get_prefix(self.prefix)}

    def follow(self, events, callback):
        for event in events:
            if isinstance(event, etcd3.events.PutEvent):
                name = event.key.decode().split("/")[-1]
                self.cache[name] = json.loads(event.value)
                callback(name, self.cache[name])


def test_configuration_of_an_environment(etcd):
    production, staging = (ConfigManager(etcd, "my-api", environment) for environment in ("production", "staging"))
    production.set("max_connections", 100)
    production.set("feature_flags", {"new_ui": True, "beta_features": False})
    staging.set("max_connections", 5)
    assert production.get("max_connections") == 100
    assert production.get("missing", "default") == "default"
    assert production.all() == {"max_connections": 100, "feature_flags": {"new_ui": True, "beta_features": False}}
    assert staging.all() == {"max_connections": 5}


def test_configuration_is_reloaded_when_it_changes(etcd):
    manager = ConfigManager(etcd, "my-api", "production")
    manager.set("timeout_seconds", 30)
    assert manager.get("timeout_seconds") == 30
    changes = queue.Queue()
    events, cancel = etcd.watch_prefix(manager.prefix)
    threading.Thread(target=manager.follow, args=(events, lambda *change: changes.put(change)), daemon=True).start()
    manager.set("timeout_seconds", 60)
    assert changes.get(timeout=PATIENCE_S) == ("timeout_seconds", 60)
    assert manager.get("timeout_seconds") == 60
    cancel()


def test_configuration_keeps_its_versions(etcd):
    key = "/config/my-api/limit"
    for version in (1, 2, 3):
        etcd.put(key, str(version))
    assert (etcd.get(key)[0], etcd.get(key)[1].version) == (b"3", 3)
    compare = [etcd.transactions.version(key) == 3, etcd.transactions.value(key) == "3"]
    assert etcd.transaction(compare=compare, success=[etcd.transactions.put(key, "4")], failure=[])[0]
    assert etcd.get(key)[1].version == 4


def test_all_of_it_survives_kill(keeper):
    """On a server of its own: every acknowledged write is there after kill -9, leases with their time."""
    own = type(keeper)()
    client = own.client()
    lease = client.lease(300)
    for number in range(50):
        client.put(f"/k/{number:02}", str(number), lease=lease if number % 2 else None)
    revision = client.get("/k/49")[1].mod_revision
    client.close()
    own.kill()
    own.start()
    client = own.client()
    assert [value for value, _ in client.get_prefix("/k/")] == [str(number).encode() for number in range(50)]
    assert client.get("/k/49")[1].mod_revision == revision
    information = client.get_lease_info(lease.id)
    assert 0 < information.TTL <= 300 and information.grantedTTL == 300 and len(information.keys) == 25
    client.revoke_lease(lease.id)
    assert len(list(client.get_prefix("/k/"))) == 25
    client.close()
    own.stop()
