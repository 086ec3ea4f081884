"""A server in a process of its own, and clients that talk to it over sockets."""

from __future__ import annotations

import collections
import http.client
import os
import re
import select
import signal
import socket
import subprocess
import time

import command

PATIENCE = 20  # seconds for what takes a fraction of one


class Server:
    """What `words` start; it says on stderr where it answers."""

    def __init__(self, *words, **options):
        words = [str(word) for word in words]
        self.process = subprocess.Popen(
            words, stderr=subprocess.PIPE, start_new_session=True, **options
        )
        self.said = ""
        try:
            found = self._until(re.compile(r"http://([\d.]+|\[[^]]+\]):(\d+).*\n"))
        except BaseException:
            self.end()
            raise
        self.host, self.port = found[1].strip("[]"), int(found[2])

    def _until(self, pattern):
        pipe, end = self.process.stderr.fileno(), time.monotonic() + PATIENCE
        while not (found := pattern.search(self.said)):
            ready, _, _ = select.select([pipe], [], [], end - time.monotonic())
            more = os.read(pipe, 65536).decode() if ready else ""
            assert more, f"no {pattern.pattern} from the server: {self.said}"
            self.said += more
        return found

    def get(self, path, **headers):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Host": "localhost", **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def connect(self, data=b""):
        client = socket.create_connection((self.host, self.port), PATIENCE)
        client.sendall(data)
        return client

    def stop(self, number=signal.SIGTERM):
        """(exit code, seconds that it took)"""
        began = time.monotonic()
        os.kill(self.process.pid, number)
        code = self.process.wait(PATIENCE)
        self.said += self.process.stderr.read().decode()
        return code, time.monotonic() - began

    def end(self):
        if self.process.poll() is None:
            self.stop()
        self.process.stderr.close()  # those who answer say no more either


def smartshopie(*words, **more):
    return Server(
        *command.command("serve", "--port", 0, *words), env=command.environment(**more)
    )


EVENTS = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"


def open_streams(server, n):
    """n sockets with an event stream each, all of them held."""
    streams = [server.connect(EVENTS) for _ in range(n)]
    for stream in streams:
        begun = read_until(stream, b"id: ")
        assert b" 200 " in begun and b"retry: 5000" not in begun
    return streams


def read_until(client, text, seconds=PATIENCE):
    """All that comes until `text` has; what has come when nothing more does."""
    client.settimeout(seconds)
    found = b""
    try:
        while text not in found and (more := client.recv(65536)):
            found += more
    except TimeoutError:
        pass
    return found


def answered(clients, n, seconds=PATIENCE):
    """How many of the clients have got which status, once n of them have one."""
    end, waiting = time.monotonic() + seconds, set(clients)
    statuses = collections.Counter()
    while statuses.total() < n:
        ready, _, _ = select.select(waiting, [], [], max(0, end - time.monotonic()))
        assert ready, f"{statuses.total()} of {len(clients)} have an answer: {statuses}"
        for client in ready:
            statuses[int(client.recv(12).split()[1])] += 1
        waiting.difference_update(ready)
    return statuses


def wait_all(streams, text, seconds):
    """Seconds until `text` has come on every one of them."""
    began, waiting = time.monotonic(), {stream.fileno(): stream for stream in streams}
    found = dict.fromkeys(waiting, b"")
    poller = select.poll()
    for number in waiting:
        poller.register(number, select.POLLIN)
    while waiting:
        left = began + seconds - time.monotonic()
        assert left > 0, f"{len(waiting)} of {len(streams)} did not get {text!r}"
        for number, _ in poller.poll(left * 1000):
            more = waiting[number].recv(65536)
            assert more or not text, "a stream ended"
            found[number] += more
            if (text and text in found[number]) or not more:
                poller.unregister(number)
                del waiting[number]
    return time.monotonic() - began
