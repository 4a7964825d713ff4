"""Sparkplug B as a host application: payloads, and the session of edge nodes and devices (docs/sensor-formats.md).

`sparkplug_b.proto` is the definition of Eclipse Tahu (https://github.com/eclipse-tahu/tahu, EPL-2.0), unchanged;
`sparkplug_b_pb2.py` is made of it by protoc, see docs/development.md.
"""
