"""Commands to alarms by MQTT: `<root>/command/alarms/<action>`, a JSON object; the answer is on `<root>/answer/alarms`.

    {"id": "any", "time": "2026-11-24T06:00:00Z", "user": "li.wei", "token": "...", "unit": "demo/A/A012",
     "code": "voltage_high", "why": "meter under repair", "until": "2026-11-24T10:00:00Z"}

`time` must be of the last five minutes and a retained message is refused: an old command is never carried out again.
Where people have tokens, `token` is asked for and tells who it is; `user` may then be left out.
"""

from __future__ import annotations

import base64

import msgspec

from twin.access import Access
from twin.alarms.commands import ACTIONS, Answer, Command
from twin.errors import PayloadError
from twin.ports import Message
from twin.times import parse_time
from twin.units import NS_PER_S

__all__ = ["answered", "read_command", "topics"]

FRESH_NS = 300 * NS_PER_S


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    time: int | str
    id: str = ""
    user: str = ""
    token: str = ""
    unit: str = ""
    code: str = ""
    why: str = ""
    until: int | str = ""


def topics(root: str) -> str:
    """The filter to subscribe to."""
    return f"{root}/command/alarms/+"


def read_command(message: Message, root: str, access: Access, now_ns: int, *, retained: bool) -> tuple[Command, str]:
    """The command and its id. Raises PayloadError, which says what would be allowed."""
    action = message.topic.removeprefix(f"{root}/command/alarms/")
    if action not in ACTIONS:
        raise PayloadError("bad_topic", f"{action!r:.40} is not one of {', '.join(ACTIONS)}", "topic")
    if retained:
        raise PayloadError("bad_topic", "a command must not be retained", "topic")
    try:
        asked = msgspec.json.decode(message.payload, type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError("malformed", f"{error}") from error
    if abs(parse_time(asked.time) - now_ns) > FRESH_NS:
        raise PayloadError("bad_time", "a command is of the last five minutes", "time")
    until_ns = parse_time(asked.until) if asked.until else 0
    who, role = asked.user, "engineer"
    if access.token or access.people:
        scheme = f"Basic {base64.b64encode(f'{asked.user}:{asked.token}'.encode()).decode()}" if asked.user else ""
        person = access.who([(b"authorization", (scheme or f"Bearer {asked.token}").encode())])
        if person is None:
            raise PayloadError("refused", "the token is none that is known here", "token")
        who, role = person.name or asked.user, person.role
    fields = {"action": action, "who": who, "role": role, "unit": asked.unit, "code": asked.code, "why": asked.why}
    return msgspec.convert({**fields, "until_ns": until_ns}, Command), asked.id


def answered(root: str, name: str, answer: Answer) -> Message:
    """What became of the command with this id."""
    return Message(f"{root}/answer/alarms", msgspec.json.encode({"id": name, **msgspec.structs.asdict(answer)}))
