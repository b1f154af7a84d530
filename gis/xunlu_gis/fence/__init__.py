"""Zones: their shapes, and who enters and leaves them, judged by the time of the fix.

A *shape* is what was drawn. A *zone* is a shape with a rule and a validity. *Fences* are all zones of an organisation,
ready to be asked; they keep nothing: the state of each device goes in and comes out as a value.
"""

from xunlu_gis.fence.drawing import Doubt, Drawing, read_drawing
from xunlu_gis.fence.event import Revision, ZoneEvent, revised
from xunlu_gis.fence.fences import Evaluation, Fences
from xunlu_gis.fence.fixes import Fixes
from xunlu_gis.fence.reference import Reference
from xunlu_gis.fence.rules import FenceRules
from xunlu_gis.fence.schedule import Schedule
from xunlu_gis.fence.shape import Shape
from xunlu_gis.fence.states import States
from xunlu_gis.fence.zone import Zone, ZoneKind

__all__ = [
    "Doubt",
    "Drawing",
    "Evaluation",
    "FenceRules",
    "Fences",
    "Fixes",
    "Reference",
    "Revision",
    "Schedule",
    "Shape",
    "States",
    "Zone",
    "ZoneEvent",
    "ZoneKind",
    "read_drawing",
    "revised",
]
