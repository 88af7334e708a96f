"""Figures as SVG and the frame of a page: plain Python, no torch, no data, no scripts, no network.

Every figure is a pure function from values to `Markup`. Colours come from CSS classes of `frame.css`, so that one
figure serves light, dark and paper; nothing is told by colour alone.
"""
