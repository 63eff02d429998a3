"""How onefold listens."""

import socket
from contextlib import closing

from onefold.api.serving import _listen


def test_no_answer_waits_on_its_way_for_more_to_be_sent() -> None:
    """asyncio sees to it only where the listening socket names its protocol, which create_server leaves out."""
    with closing(_listen("127.0.0.1", 0)) as listening, closing(socket.create_connection(listening.getsockname())):
        accepted, _ = listening.accept()
        with closing(accepted):
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
