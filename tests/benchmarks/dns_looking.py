"""How long it takes to look at many domains: python -m tests.benchmarks.dns_looking

The responder runs in a process of its own and takes 30 ms for each answer. One domain
in ten is broken in some way.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from multiprocessing.connection import Connection

LATENCY = 0.03


def serve(count: int, pipe: Connection) -> None:
    from purelymanage.purelymail.sandbox import demo_zones
    from purelymanage.purelymail.sandbox.account import OWNERSHIP_CODE
    from purelymanage.purelymail.sandbox.dns import DnsServer
    from purelymanage.purelymail.sandbox.zones import Zones

    zones = Zones()
    demo_zones.put_surroundings(zones)
    for number in range(count):
        preset = demo_zones.broken if number % 10 == 0 else demo_zones.healthy
        zones.put(f"d{number}.example", preset(OWNERSHIP_CODE))
    server = DnsServer(lambda: zones)
    server.latency = LATENCY
    server.start()
    pipe.send(server.port)
    pipe.recv()
    pipe.send(server.answered)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    here, there = multiprocessing.Pipe()
    responder = multiprocessing.get_context("spawn").Process(
        target=serve, args=(count, there)
    )
    responder.start()
    port = here.recv()

    from purelymanage.domains.dns.looking import Memory, look
    from purelymanage.domains.dns.servers import Server

    servers = (Server("127.0.0.1", port),)
    names = [f"d{number}.example" for number in range(count)]
    began, used = time.perf_counter(), time.process_time()
    found = look(names, servers=servers, kept=Memory())
    seconds, used = time.perf_counter() - began, time.process_time() - used
    here.send("enough")
    asked = here.recv()
    responder.join()

    answers = [it for seen in found.values() for it in seen.answers.values()]
    unknown = sum(not it.is_known for it in answers)
    print(  # noqa: T201
        f"{count} domains in {seconds:.1f} s ({used:.1f} s of processor time), "
        f"{len(answers)} answers from {asked} questions, {unknown} unknown"
    )


if __name__ == "__main__":
    main()
