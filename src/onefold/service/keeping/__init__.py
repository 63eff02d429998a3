"""Who is in saved segments, kept right as things happen and as time passes (ADR 27).

A *pass* brings the members forward from the state of the store they were right for to the newest one. It looks only at
customers whose answer may be another (`touched`), finds who came in and who went (`turns`), says why (`causes`), and
writes that down under a lease, which one process holds at a time (`keeper`).
"""
