"""Turn a data set into candidates: trained, converted, checked and measured in their serving form.

The entry points are `engine.search` and `engine.resume`. `records.run_folder.RunFolder` reads the
folder that they write.
"""
