"""What the servers are filled with for the rows of resident memory, and how.

Every key and member is there exactly once, so both servers hold the same and as many as the row says.
"""
import itertools
import socket
import threading

BATCH = 1000


def bulk(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


def hashes(count):
    for number in range(count):
        yield bulk(b"HSET", b"user:%d" % number, b"name", b"user %d" % number, b"age", b"%d" % (number % 90),
                   b"city", b"city %d" % (number % 1000))


def word_sets(count):
    for number in range(count):
        yield bulk(b"SADD", b"tags:%d" % number, *(b"tag%d" % ((number * 7 + tag * 13) % 5000) for tag in range(4)))


def number_sets(count):
    for number in range(count):
        yield bulk(b"SADD", b"friends:%d" % number, *(b"%d" % ((number + tag * 7919) % count) for tag in range(4)))


def sorted_set(count):
    # Scores in no order, each member once: a step that has no divisor with the count visits all.
    for number in range(count):
        yield bulk(b"ZADD", b"board", b"%d" % (number * 7_368_787 % count), b"player:%d" % number)


# Title, commands, how many at full size.
SHAPES = (
    ("hashes of 3 fields", hashes, 1_000_000),
    ("sets of 4 words", word_sets, 1_000_000),
    ("sets of 4 integers", number_sets, 1_000_000),
    ("members of one sorted set", sorted_set, 5_000_000),
)


def fill(port, commands, count):
    """Sends so many commands over one connection and waits until each is answered with a number."""
    failed = []
    with socket.create_connection(("127.0.0.1", port)) as connection:

        def read_replies():
            with connection.makefile("rb") as lines:
                for line in itertools.islice(lines, count):
                    if not line.startswith(b":"):
                        failed.append(line)
                        return

        reader = threading.Thread(target=read_replies)
        reader.start()
        while not failed and (batch := list(itertools.islice(commands, BATCH))):
            connection.sendall(b"".join(batch))
        reader.join()
    if failed:
        raise SystemExit(f"filling failed: {failed[0]}")
