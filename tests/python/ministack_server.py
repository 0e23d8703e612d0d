"""Serves ministack on a loopback port and says which.

The socket is bound here and handed on, so no other process can take the port between finding it
and using it. Reads AUTH and everything else from the environment as ministack does.
"""

import argparse
import asyncio
import os
import socket
import sys


def list_unconfirmed_as_sns_does(sns):
    """ministack lists subscriptions that nobody confirmed by an ARN. SNS lists `PendingConfirmation`
    in its place (Amazon SNS Developer Guide, "Subscription confirmation")."""
    listing = sns._list_subscriptions_by_topic

    def list_subscriptions_by_topic(params):
        status, headers, body = listing(params)
        topic, error = sns._get_topic(sns._p(params, "TopicArn"), "sns:ListSubscriptionsByTopic")
        if error is None:
            for subscription in topic["subscriptions"]:
                if not subscription["confirmed"]:
                    element = "<SubscriptionArn>{}</SubscriptionArn>"
                    listed = element.format(subscription["arn"]).encode()
                    body = body.replace(listed, element.format("PendingConfirmation").encode())
        return status, headers, body

    sns._list_subscriptions_by_topic = list_subscriptions_by_topic


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    port = parser.parse_args().port

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    port = listener.getsockname()[1]

    # Read when ministack is imported.
    os.environ["GATEWAY_PORT"] = str(port)
    os.environ["BIND_HOST"] = "127.0.0.1"
    os.environ.setdefault("LOG_LEVEL", "WARNING")

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app
    from ministack.services import sns

    list_unconfirmed_as_sns_does(sns)

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = os.environ["LOG_LEVEL"]

    print(f"listening {port}", flush=True)
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    sys.exit(main())
