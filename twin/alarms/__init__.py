"""Alarm management by ISA-18.2 / IEC 62682, pure: (state, event or command or time) -> (state, transitions).

rows, conditions   the tables: alarms with their rationalization, suppression by design
layout, inputs     where units stand; what is heard, as columns
state, change      what is remembered of every alarm at every unit, and what happens to one
machine, commands  time and events; people
moved              transitions as the journal keeps them
saved              state to bytes and back
figures            how well the alarm system does, against the standard's targets
routing, notices   who is told what, in which words
"""
