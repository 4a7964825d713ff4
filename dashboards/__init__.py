"""Grafana boards, alert rules and provisioning files, generated from the tables of the twin (docs/grafana.md)."""
