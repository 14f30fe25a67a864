"""What schemathesis finds and is none: a schema knows no clock, no case of letters, and not where a name leads."""

import re

import schemathesis

BEYOND_SCHEMAS = ("lies in the future", "is more than 30 days ahead", "is there twice", "is at no public address")
EVENT_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps a failure unless a request was refused for such reasons alone, or was not right by the document itself."""
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code != 422:
        return True
    # It holds 0 to be right for this header, whatever pattern the document gives.
    last = case.headers.get("Last-Event-ID")
    if last is not None and not EVENT_ID.fullmatch(last):
        return False
    messages = [error["message"] for error in response.json()["errors"]]
    return not all(any(reason in message for reason in BEYOND_SCHEMAS) for message in messages)
