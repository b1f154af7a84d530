"""REST: one module for each noun, every route with a declared permission."""
