"""A data set becomes candidates, each trained, converted, checked and measured in the form that is served.

The verbs are `engine.search` and `engine.resume`; what they write is read with `records.run_folder.RunFolder`.
"""
