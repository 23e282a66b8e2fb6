"""Search: a dataset becomes candidates, each trained, converted, checked and measured in the form that is served.

The verbs are `engine.search` and `engine.resume`; what they leave behind is read with `run.RunFolder`.
"""
