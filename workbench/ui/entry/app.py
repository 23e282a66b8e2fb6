"""The script that `workbench app` gives to Streamlit.

It lies in a folder of its own because Streamlit puts a script's folder first on the import path.
"""

from workbench.ui import main

if __name__ == "__main__":
    main()
