"""Report sheets: what a supervisor prints, files and sends on, as HTML, PDF and xlsx from one `Report`.

`report.pdf` and `report.xlsx` are imported by their modules, because their libraries take time to load.
"""

from xunlu_gis.report.document import Coverage, Figure, Patch, Report, Row, Section
from xunlu_gis.report.html import to_html

__all__ = ["Coverage", "Figure", "Patch", "Report", "Row", "Section", "to_html"]
