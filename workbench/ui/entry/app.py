"""The script that `workbench app` passes to Streamlit.

It has its own folder because Streamlit puts the script's folder first on the import path.
"""

from workbench.ui import main

if __name__ == "__main__":
    main()
