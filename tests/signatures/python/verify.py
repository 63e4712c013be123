"""Reads deliveries on standard input and says of each what the official library thinks."""

import base64
import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def judge(delivery):
    try:
        Webhook(delivery["secret"]).verify(base64.b64decode(delivery["body"]), delivery["headers"])
    except WebhookVerificationError:
        return "forged"
    return "valid"


print(json.dumps([judge(delivery) for delivery in json.load(sys.stdin)]))
