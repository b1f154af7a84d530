"""Map bundles: one folder with basemap, streets, areas and places, made from whatever map a bureau has."""
