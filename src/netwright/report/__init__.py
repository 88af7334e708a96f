"""What a run shows to people: facts -> one self-contained HTML page, and from it a PDF.

`facts.py` says what a report knows, `page.py` draws a run, `compare.py` a comparison of many, `step.py` one step of
gradient descent; `pdf.py` prints any of them through an installed browser.
"""
