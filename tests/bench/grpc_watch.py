"""Watches of etcd's API that are held open on a connection, by hand, so that what they take of a server can be measured."""
import socket

from grpc_call import ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, field, frame, headers

PING, GOAWAY, WINDOW_UPDATE = 6, 7, 8
INITIAL_WINDOW_SIZE = 4
WINDOW = 65_535
WINDOW_MAX = (1 << 31) - 1
# Of one DATA frame; what servers take without being asked.
FRAME_BYTES = 16_384


class Watches:
    """One stream with a watch for each (key, range end); made by the time it returns, ended by `close`."""

    def __init__(self, port, spans):
        self.connection = socket.create_connection(("127.0.0.1", port), 5)
        self.connection.settimeout(60)
        self.reader = self.connection.makefile("rb")
        # What may be sent: on the connection, on the stream.
        self.window, self.stream_window, self.stream_initial = WINDOW, WINDOW, WINDOW
        self.body, self.answers = bytearray(), 0
        mine = INITIAL_WINDOW_SIZE.to_bytes(2, "big") + WINDOW_MAX.to_bytes(4, "big")
        self.connection.sendall(PREFACE + frame(SETTINGS, 0, 0, mine) + frame(WINDOW_UPDATE, 0, 0, (WINDOW_MAX - WINDOW).to_bytes(4, "big"))
                                + frame(HEADERS, END_HEADERS, 1, headers("/etcdserverpb.Watch/Watch")))
        requests = bytearray()
        for key, end in spans:
            message = field(1, field(1, key) + (field(2, end) if end else b""))
            requests += b"\0" + len(message).to_bytes(4, "big") + message
        while requests:
            size = min(len(requests), FRAME_BYTES, self.window, self.stream_window)
            if size:
                self.connection.sendall(frame(DATA, 0, 1, bytes(requests[:size])))
                del requests[:size]
                self.window -= size
                self.stream_window -= size
            else:
                self.take_frame()
        while self.answers < len(spans):
            self.take_frame()

    def take_frame(self):
        head = self.reader.read(9)
        if len(head) < 9:
            raise SystemExit("the server closed the connection of a watch")
        payload = self.reader.read(int.from_bytes(head[:3], "big"))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                if int.from_bytes(payload[at : at + 2], "big") == INITIAL_WINDOW_SIZE:
                    initial = int.from_bytes(payload[at + 2 : at + 6], "big")
                    self.stream_window += initial - self.stream_initial
                    self.stream_initial = initial
            self.connection.sendall(frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK:
            self.connection.sendall(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE and stream:
            self.stream_window += int.from_bytes(payload, "big")
        elif kind == WINDOW_UPDATE:
            self.window += int.from_bytes(payload, "big")
        elif kind == DATA:
            self.count_answers(payload)
        elif kind == GOAWAY or kind == HEADERS and flags & END_STREAM:
            raise SystemExit(f"the server ended a watch: {payload!r}")

    def count_answers(self, payload):
        self.body += payload
        while len(self.body) >= 5 and len(self.body) >= 5 + int.from_bytes(self.body[1:5], "big"):
            del self.body[: 5 + int.from_bytes(self.body[1:5], "big")]
            self.answers += 1

    def close(self):
        self.reader.close()
        self.connection.close()
