"""A Sparkplug edge node made of the library pysparkplug, in a process of its own: `edge.py PORT GROUP NODE DEVICE`.

Reads orders from its standard input, one a line; says on its standard output what commands it was given. It runs with
its own folder of libraries and knows nothing of the product.
"""

import itertools
import json
import sys

import pysparkplug as spb

DEVICE = sys.argv[4]
ALIASES = {"Voltage": 11, "Bath/Temperature": 12}


def now() -> int:
    return int(spb.get_current_timestamp())


def metric(name: str | None, value: float, alias: int, ahead_ms: int = 0) -> spb.Metric:
    return spb.Metric(timestamp=now() + ahead_ms, name=name, datatype=spb.DataType.DOUBLE, value=value, alias=alias)


def publish(edge: spb.EdgeNode, kind: str, device: str | None, payload: object) -> None:
    topic = spb.Topic(
        message_type=spb.MessageType(kind), group_id=edge.group_id, edge_node_id=edge.edge_node_id, device_id=device
    )
    edge._client.publish(
        spb.Message(topic=topic, payload=payload, qos=spb.QoS.AT_MOST_ONCE, retain=False), include_dtypes=True
    )


def commanded(edge: spb.EdgeNode, message: spb.Message) -> None:
    names = [one.name for one in message.payload.metrics if one.value is True]
    print(*names, flush=True)
    if names != ["Node Control/Rebirth"]:
        return
    edge._EdgeNode__seq_cycler = itertools.cycle(range(256))
    will = edge._bd_seq_metric  # of the library: that of its next connection
    birth = spb.Metric(timestamp=now(), name="bdSeq", datatype=spb.DataType.INT64, value=will.value - 1)
    publish(edge, "NBIRTH", None, spb.NBirth(timestamp=now(), seq=edge._seq, metrics=(*edge.metrics.values(), birth)))
    for name, device in edge.devices.items():
        publish(
            edge, "DBIRTH", name, spb.DBirth(timestamp=now(), seq=edge._seq, metrics=tuple(device.metrics.values()))
        )


def main() -> None:
    port, group, node = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    own = [spb.Metric(timestamp=now(), name="Uptime", datatype=spb.DataType.INT32, value=-5)]
    edge = spb.EdgeNode(group, node, own, cmd_callback=commanded)
    first = [metric(name, value, ALIASES[name]) for name, value in (("Voltage", 4001.0), ("Bath/Temperature", 957.0))]
    edge.register(spb.Device(DEVICE, first))
    edge.connect("127.0.0.1", port=port)
    for line in sys.stdin:
        order = json.loads(line)
        if "update" in order:
            ahead = order.get("ahead_ms", 0)
            said = order["update"].items()
            edge.update_device(DEVICE, [metric(name, value, ALIASES[name], ahead) for name, value in said])
        elif "by_alias" in order:
            short = tuple(metric(None, value, ALIASES[name]) for name, value in order["by_alias"].items())
            publish(edge, "DDATA", DEVICE, spb.DData(timestamp=now(), seq=edge._seq, metrics=short))
        elif "lose" in order:
            _ = edge._seq  # a message that nobody gets
        elif "remove" in order:
            edge.deregister(DEVICE)


if __name__ == "__main__":
    main()
